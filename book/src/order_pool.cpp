// book/src/order_pool.cpp
