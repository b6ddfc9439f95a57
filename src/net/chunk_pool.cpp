#include "postern/net/chunk_pool.hpp"

#include <sys/mman.h>

#include <new>

#include "postern/base/assert.hpp"
#include "postern/base/secret.hpp"

namespace postern::net {
namespace {

constexpr std::size_t kSlab = std::size_t{1} << 20;  // 16 large or 256 small chunks
/// Free large chunks that keep their pages; the pages of more go back to the system, so that a rush does not
/// cost memory for ever. Small ones keep theirs: where a page is larger than they are, they could not give
/// one back alone.
constexpr std::size_t kWarm = 32;

}  // namespace

Lease::Lease(Lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)),
      sensitive_(std::exchange(other.sensitive_, false)) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    pool_ = std::exchange(other.pool_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    capacity_ = std::exchange(other.capacity_, 0);
    sensitive_ = std::exchange(other.sensitive_, false);
  }
  return *this;
}

void Lease::release() noexcept {
  if (data_ == nullptr) return;
  if (sensitive_) wipe(span());
  pool_->take_back(data_, capacity_);
  data_ = nullptr;
  capacity_ = 0;
  sensitive_ = false;
}

ChunkPool::~ChunkPool() {
  POSTERN_ASSERT(leased_ == 0);
  for (void* slab : slabs_) munmap(slab, kSlab);
}

Lease ChunkPool::lease(FreeChunks& free) {
  if (free.warm.empty() && free.cold.empty()) map_slab(free);
  std::vector<char*>& source = free.warm.empty() ? free.cold : free.warm;
  char* const data = source.back();
  source.pop_back();
  leased_ += free.size;
  return Lease(*this, data, free.size);
}

void ChunkPool::take_back(char* data, std::size_t size) noexcept {
  leased_ -= size;
  FreeChunks& free = size == kLarge ? large_ : small_;
  // Neither list grows beyond what map_slab reserved.
  if (size != kLarge || free.warm.size() < kWarm) {
    free.warm.push_back(data);
  } else {
    madvise(data, size, MADV_DONTNEED);
    free.cold.push_back(data);
  }
}

void ChunkPool::map_slab(FreeChunks& free) {
  const std::size_t chunks = kSlab / free.size;
  free.warm.reserve(free.mapped + chunks);
  free.cold.reserve(free.mapped + chunks);
  slabs_.push_back(nullptr);
  void* slab = mmap(nullptr, kSlab, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (slab == MAP_FAILED) {
    slabs_.pop_back();
    throw std::bad_alloc();  // ends the session that asked, as any allocation would
  }
  slabs_.back() = slab;
  free.mapped += chunks;
  for (std::size_t at = kSlab; at != 0; at -= free.size) {
    free.cold.push_back(static_cast<char*>(slab) + at - free.size);
  }
}

}  // namespace postern::net
