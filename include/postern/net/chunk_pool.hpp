#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace postern::net {

class ChunkPool;

/// A chunk of memory for as long as this lives. Movable; empty after it was moved from or released.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { release(); }

  explicit operator bool() const noexcept { return data_ != nullptr; }
  char* data() const noexcept { return data_; }
  std::size_t capacity() const noexcept { return capacity_; }
  std::span<char> span() const noexcept { return {data_, capacity_}; }

  /// The chunk carries a credential: it is wiped when it goes back.
  void mark_sensitive() noexcept { sensitive_ = true; }
  bool is_sensitive() const noexcept { return sensitive_; }
  void release() noexcept;

 private:
  friend class ChunkPool;
  Lease(ChunkPool& pool, char* data, std::size_t capacity) noexcept
      : pool_(&pool), data_(data), capacity_(capacity) {}

  ChunkPool* pool_ = nullptr;
  char* data_ = nullptr;
  std::size_t capacity_ = 0;
  bool sensitive_ = false;
};

/// The buffers of one loop, in two sizes, from slabs that are mapped as they are needed. A session that waits
/// for its peer holds none. Outlives its leases; one thread.
class ChunkPool {
 public:
  static constexpr std::size_t kSmall = 4096;   ///< commands
  static constexpr std::size_t kLarge = 65536;  ///< bodies: four full TLS records

  ChunkPool() = default;
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;
  ~ChunkPool();

  Lease lease_small() { return lease(small_); }
  Lease lease_large() { return lease(large_); }
  /// Octets that are lent out.
  std::size_t leased() const noexcept { return leased_; }

 private:
  friend class Lease;
  /// Chunks of one size that are not lent out. The warm ones have their pages and go out first, the last one
  /// back the first of all; the cold ones cost page faults.
  struct FreeChunks {
    explicit FreeChunks(std::size_t chunk_size) noexcept : size(chunk_size) {}
    const std::size_t size;
    std::size_t mapped = 0;
    std::vector<char*> warm;
    std::vector<char*> cold;
  };

  Lease lease(FreeChunks& free);
  void take_back(char* data, std::size_t size) noexcept;
  void map_slab(FreeChunks& free);

  FreeChunks small_{kSmall};
  FreeChunks large_{kLarge};
  std::vector<void*> slabs_;
  std::size_t leased_ = 0;
};

}  // namespace postern::net
