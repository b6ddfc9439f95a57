#include "postern/app/cli.hpp"

int main(int argc, char** argv) {
  return postern::app::run(argc, argv);
}
