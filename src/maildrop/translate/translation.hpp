#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "maildrop/translate/bodies.hpp"
#include "maildrop/translate/contents.hpp"
#include "maildrop/translate/link.hpp"
#include "maildrop/translate/view.hpp"
#include "maildrop/translate/walk.hpp"
#include "postern/maildrop/opener.hpp"

namespace postern::maildrop {

/// Folders of an IMAP server as a maildrop. The list of messages is taken once; sizes, numbers, unique-ids
/// and marks are answered from it, and only RETR, TOP and QUIT go to the server. A connection that is lost
/// between two commands is made again, as long as the mailbox is still the same (SNAP-15).
class Translation final : public Maildrop {
 public:
  Translation(Opener& opener, std::unique_ptr<Link> link, std::unique_ptr<View> view, Contents contents);
  ~Translation() override;

  bool has_top() const noexcept override { return true; }
  bool has_uidl() const noexcept override;
  const std::string& server() const noexcept override { return link_->server(); }

  void expect(std::span<const QueuedCommand> commands) override;
  void rest() override;
  coro::Task<void> settle() override;
  coro::Task<Result<Stat>> stat() override;
  coro::Task<Result<Bytes>> list(std::uint32_t message) override;
  coro::Task<Result<std::string>> uidl(std::uint32_t message) override;
  coro::Task<Result<void>> list(Sink& sink) override;
  coro::Task<Result<void>> uidl(Sink& sink) override;
  coro::Task<Result<void>> retrieve(std::uint32_t message, Sink& sink) override;
  coro::Task<Result<void>> top(std::uint32_t message, std::uint64_t lines, Sink& sink) override;
  coro::Task<Result<void>> mark_deleted(std::uint32_t message) override;
  coro::Task<Result<void>> reset() override;
  coro::Task<Result<void>> noop() override;
  coro::Task<Result<void>> commit(coro::Deadline deadline) override;

  std::optional<std::uint64_t> uidl_hash() const noexcept override { return uidl_hash_; }
  std::uint64_t bytes_from_backend() const noexcept override { return link_->bytes_read(); }
  std::uint64_t bytes_to_backend() const noexcept override { return link_->bytes_written(); }

 private:
  /// A message on its way to the client.
  class Delivery;
  using Transfer = coro::Task<Result<void>> (Translation::*)(Delivery& delivery);

  // translation.cpp
  Error no_message() const { return Error(FailureKind::no_message, "no such message"); }
  void append_id(std::string& out, const Contents::Place& place) const;
  coro::Task<Result<void>> stream_list(Sink& sink, bool with_ids);
  store::MailboxKey key(std::size_t folder) const;
  bool can_delete(const Contents::Place& place) const noexcept;

  // translation_fetch.cpp
  coro::Task<Result<void>> prepare(std::size_t folder);
  coro::Task<Result<void>> select(std::size_t folder, coro::Deadline deadline);
  coro::Task<Result<void>> transfer(Delivery& delivery, Transfer how);
  void refuse(const Delivery& delivery, const std::string& why);
  coro::Task<Result<void>> transfer_whole(Delivery& delivery);
  coro::Task<Result<void>> transfer_top(Delivery& delivery);
  coro::Task<Result<void>> transfer_windows(Delivery& delivery, Bytes window);
  coro::Task<Result<void>> transfer_held(Delivery& delivery);
  coro::Task<Result<void>> transfer_part(Delivery& delivery, const Bodies::Arrived& arrived);
  coro::Task<Result<Bodies::Arrived>> arrival(const Delivery& delivery);
  coro::Task<Result<bool>> is_placeholder(const Bodies::Arrived& arrived, const Delivery& delivery);
  void ask_ahead(const Delivery& delivery);
  void keep_ahead(std::uint32_t message, const Contents::Place& place);
  void stop_asking_ahead() noexcept;
  void learn_size(const Contents::Place& place, Bytes size);
  void save_learned();

  // translation_commit.cpp
  coro::Task<Result<void>> remove_marked(coro::Deadline deadline);
  coro::Task<void> clean_up(coro::Deadline deadline);

  Opener& opener_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<View> view_;
  Contents contents_;
  Bodies bodies_;
  Walk walk_;
  std::optional<std::uint64_t> uidl_hash_;
  std::vector<std::uint32_t> asked_for_;  // by RETRs that the client has sent, and that are not executed yet
  std::map<std::size_t, std::map<std::uint32_t, Bytes>> learned_;  // by folder and UID: true sizes
};

}  // namespace postern::maildrop
