// What ThreadSanitizer must not report here: CAF's libraries are not instrumented, so it does not see that they hand
// messages from thread to thread with care. Reports with a frame of theirs are left out; what is ours alone (lane_test.cpp
// has no CAF actor in it) is reported.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
extern "C" const char* __tsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier): the sanitizer's name
extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "race:libcaf_core.so\nrace:libcaf_io.so\nrace:libcaf_openssl.so\n";
}
#endif
#endif
