#pragma once

namespace postern {

/// Told when a descriptor may be read or written, or is in error (then both are true: try, and let the call
/// tell).
class ReadinessWatcher {
 public:
  virtual void on_ready(bool readable, bool writable) = 0;

 protected:
  ~ReadinessWatcher() = default;
};

/// When the lowest transport of a connection can get on: a descriptor in the process, a model in the
/// simulation. Used on one loop only; never calls the watcher from inside one of these functions.
class Readiness {
 public:
  virtual ~Readiness() = default;

  /// Replaces the watcher. Null: nobody is told, and nothing stays armed.
  virtual void watch(ReadinessWatcher* watcher) = 0;
  /// What to be told about. Reading is meant to stay armed (re-arming costs system calls), writing is not.
  virtual void arm(bool read, bool write) = 0;
};

}  // namespace postern
