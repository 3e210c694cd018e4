// runtime/src/scheduler.cpp
