#pragma once

#include "postern/base/log.hpp"
#include "postern/base/result.hpp"
#include "postern/config/loader.hpp"

/// What a start gives up before it serves: root, and whatever else a process that has been taken over could
/// use.
namespace postern::app {

/// What is wrong with `runtime.user` for a process that is started with the rights of this one.
config::Problems check_user(const config::Config& config);

/// What the user that a start as root becomes could not do with the files of the configuration: a reload
/// would fail. Only before there are threads. Nothing where check_user() has something to say.
config::Problems check_access(const config::Config& config);

/// Becomes `runtime.user` and confines the process (sandbox.hpp); the threads that are made later inherit it.
/// The error is the exit status; the log was told why, or what holds now.
Result<void, int> give_up_rights(const config::Config& config, Log& log);

}  // namespace postern::app
