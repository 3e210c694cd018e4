// net/src/itch_file.cpp
