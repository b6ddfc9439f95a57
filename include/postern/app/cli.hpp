#pragma once

namespace postern::app {

/// The program: reads the arguments and does what they say. Its exit status (sysexits.h).
int run(int argc, char** argv);

}  // namespace postern::app
