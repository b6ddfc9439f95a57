#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "postern/base/connection.hpp"
#include "postern/base/units.hpp"

/// A connection in memory: two transports, as a socket at each end would give them, whose every call
/// can be made short or blocked, and whose directions can be cut at any octet. For tests that need a
/// peer but no descriptor.
namespace postern::test {

/// The two ends of a link.
enum class Side : std::uint8_t { a, b };

/// How a direction ends for the one who reads it.
enum class Ending : std::uint8_t { eof, reset };

/// One direction of a link: what one side writes and the other reads.
class Direction {
 public:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  static constexpr std::uint64_t kEverything = std::numeric_limits<std::uint64_t>::max();

  /// The script; may be changed at any time.
  struct Rules {
    std::size_t most_per_write = kNoLimit;  ///< octets that one call takes
    std::size_t most_per_read = kNoLimit;   ///< octets that one call gives
    bool alternate_writes = false;          ///< every other call would block, beginning with the first
    bool alternate_reads = false;
    std::size_t capacity = 64_KiB;  ///< octets on the way; what is beyond would block. 0 stops all writes
    std::uint64_t arrived =
        kEverything;  ///< octets, from the beginning, that the reader may have seen by now
  };
  Rules rules;

  /// After so many octets of this direction, counted from its beginning, the reader sees this. What is
  /// written beyond them vanishes after an eof; a reset takes the other direction along, as RST does.
  void cut_after(std::uint64_t octets, Ending ending) { cut_.emplace(Cut{octets, ending}); }

  /// Every octet that was accepted from the writer, read or not.
  const std::string& sent() const noexcept { return sent_; }
  /// Octets that the reader could read now if no rule were in its way.
  std::size_t on_the_way() const noexcept { return static_cast<std::size_t>(visible() - read_); }
  std::size_t write_calls() const noexcept { return write_calls_; }
  std::size_t read_calls() const noexcept { return read_calls_; }
  /// How the writer ended it; nothing while it is open.
  std::optional<Ending> ending() const noexcept { return ending_; }

 private:
  friend class MemoryEnd;
  struct Cut {
    std::uint64_t octets;
    Ending ending;
  };

  IoResult read(std::span<char> into);
  IoResult write(std::span<const char> from);
  void end(Ending ending);
  void lose_reader() noexcept { reader_gone_ = true; }

  bool is_cut() const noexcept {
    return cut_ && sent_.size() >= cut_->octets && rules.arrived >= cut_->octets;
  }
  bool is_reset() const noexcept;
  std::size_t readable() const noexcept;
  std::uint64_t visible() const noexcept;
  std::size_t room() const noexcept;
  std::optional<Ending> ending_for_reader() const noexcept;

  std::string sent_;
  std::uint64_t read_ = 0;
  std::size_t write_calls_ = 0;
  std::size_t read_calls_ = 0;
  std::optional<Ending> ending_;
  std::optional<Cut> cut_;
  bool reader_gone_ = false;
};

/// Makes the two ends and stays with the test, which scripts and watches it. The ends may outlive it.
class MemoryLink {
 public:
  MemoryLink();

  /// Each may be taken once. Destroying a transport closes its end as close(2) does: FIN, or RST
  /// if octets are unread.
  std::unique_ptr<Transport> transport(Side side);
  /// Level-triggered; its watcher is called by `deliver` and by nothing else.
  std::unique_ptr<Readiness> readiness(Side side);
  Connection connection(Side side) { return Connection(transport(side), readiness(side)); }

  /// The direction that this side writes.
  Direction& from(Side side) noexcept;

  /// Tells each watcher whose armed interest is met, once; false when there was none.
  bool deliver();

 private:
  friend class MemoryEnd;
  struct Wire;

  std::shared_ptr<Wire> wire_;
};

}  // namespace postern::test
