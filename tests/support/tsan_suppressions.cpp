/// For programs with several loops, to be compiled into them. libuv closes descriptors by system calls that
/// ThreadSanitizer does not see, and so takes a number that is used again for one that is shared.
extern "C" const char* __tsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier): its name
extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "called_from_lib:libuv.so.1\n";
}
