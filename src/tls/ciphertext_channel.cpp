#include "tls/ciphertext_channel.hpp"

#include <new>

#include "postern/base/assert.hpp"

namespace postern::tls {

BioPtr CiphertextChannel::make_bio() {
  BioPtr bio(BIO_new(method()));
  if (!bio) throw std::bad_alloc();
  BIO_set_data(bio.get(), this);
  BIO_set_init(bio.get(), 1);
  return bio;
}

IoResult CiphertextChannel::flush() {
  if (write_status_ != IoStatus::ok) return {0, Want::none, write_status_};
  while (!stage_.empty()) {
    const IoResult sent = lower_->try_write(stage_.octets());
    stage_.consume(sent.bytes);
    if (!sent.ok()) {
      write_status_ = sent.status;
      stage_.clear();
      blocked_ = false;
      return {0, Want::none, write_status_};
    }
    if (stage_.empty()) break;
    if (sent.want != Want::none || sent.bytes == 0) {
      blocked_ = true;
      return {0, sent.want == Want::none ? Want::write : sent.want, IoStatus::ok};
    }
  }
  blocked_ = false;
  if (lower_->unsent() == 0) return {};
  const IoResult flushed = lower_->try_flush();
  if (!flushed.ok()) write_status_ = flushed.status;
  return flushed;
}

int CiphertextChannel::on_write(const char* octets, int count) {
  // Nothing can leave any more, but what has arrived may still be read: do not let answers to it
  // get in the way.
  if (write_status_ != IoStatus::ok) return count;
  if (!stage_.append({octets, static_cast<std::size_t>(count)})) {
    overflowed_ = true;
    return -1;
  }
  return count;
}

int CiphertextChannel::on_read(BIO* bio, char* into, int count) {
  if (stopped_ || read_status_ != IoStatus::ok) return -1;
  const IoResult got = lower_->try_read({into, static_cast<std::size_t>(count)});
  if (got.bytes > 0) return static_cast<int>(got.bytes);
  if (got.ok()) {
    BIO_set_retry_read(bio);
  } else {
    read_status_ = got.status;
  }
  return -1;
}

const BIO_METHOD* CiphertextChannel::method() {
  static const BIO_METHOD* const made = [] {
    BIO_METHOD* const m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "postern ciphertext");
    POSTERN_ASSERT(m != nullptr);
    BIO_meth_set_write(m, [](BIO* bio, const char* octets, int count) {
      BIO_clear_retry_flags(bio);
      return static_cast<CiphertextChannel*>(BIO_get_data(bio))->on_write(octets, count);
    });
    BIO_meth_set_read(m, [](BIO* bio, char* into, int count) {
      BIO_clear_retry_flags(bio);
      return static_cast<CiphertextChannel*>(BIO_get_data(bio))->on_read(bio, into, count);
    });
    // No BIO_CTRL_EOF: OpenSSL would answer a missing close_notify with an alert; we tell
    // what happened by read_status().
    BIO_meth_set_ctrl(
        m, [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH ? 1 : 0; });
    return m;
  }();
  return made;
}

}  // namespace postern::tls
