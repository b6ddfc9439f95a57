#pragma once

#include <set>
#include <string>
#include <vector>

#include "postern/config/config.hpp"

/// What a process that has been taken over could no longer do. All of it holds for the threads that are made
/// afterwards, and there is no way back.
namespace postern::app {

/// Folders, with all that is below them.
class Folders {
 public:
  std::set<std::string> readable;
  std::set<std::string> writable;
};

/// What serving by this configuration needs of the file system: its own files, the folders where the links
/// among them lead (certbot(1), Kubernetes' volumes), the system's for names and certificates, and the
/// store's folder.
Folders folders_for(const config::Config& config);

/// How much of it this kernel could do.
class Confinement {
 public:
  bool failed = false;  ///< no_new_privs(2) could not be set, and nothing else was tried
  std::string seccomp = "off";
  std::string landlock = "off";
};

/// The process gets no rights by executing (no_new_privs), cannot make the system calls that a gateway has no
/// use for (seccomp(2)) and reaches no file outside `folders` (landlock(7)). Where the kernel lacks one of
/// the last two, the rest holds, and the text says so.
Confinement confine(const config::Runtime& settings, const Folders& folders);

/// Whether this process may leave a core dump, or be looked into by others of its user.
void set_core_dumps(bool allowed);

/// Whether this is a build with a sanitizer. It executes a symbolizer, and looks for leaks as a debugger
/// does, from a process of its own: what forbids that is left out.
bool is_sanitized();

/// The parts of confine(), for tests. Each is "on" with a detail, or why not.
std::string restrict_calls();
std::string restrict_files(const Folders& folders);

}  // namespace postern::app
