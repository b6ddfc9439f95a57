#pragma once

#include <memory>
#include <string>

#include "postern/loop/resolver.hpp"

namespace postern::loop {

/// The same as make_resolver, but it asks these servers ("127.0.0.1:5353,...") instead of the system's.
std::unique_ptr<Resolver> make_resolver_asking(Loop& loop, const std::string& servers);

}  // namespace postern::loop
