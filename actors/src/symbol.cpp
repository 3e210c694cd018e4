// actors/src/symbol.cpp
