// What the sanitizers must not report here. CAF's libraries are not instrumented, so ThreadSanitizer does not see that they hand
// messages from thread to thread with care. Reports with a frame of theirs are left out; what is ours alone (lane_test.cpp
// has no CAF actor in it) is reported. And CAF 0.17 forgets its broker now and then when a node is lost while the system ends: a
// down message in the broker's own mailbox keeps it. What CAF's I/O allocates is left out of what LeakSanitizer tells.
// NOLINTBEGIN(bugprone-reserved-identifier): the sanitizers' names
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libcaf_core.so\nrace:libcaf_io.so\nrace:libcaf_openssl.so\n";
}
#endif
#if __has_feature(address_sanitizer)
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libcaf_core.so\nleak:libcaf_io.so\n"; }
#endif
#endif
// NOLINTEND(bugprone-reserved-identifier)
