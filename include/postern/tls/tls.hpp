#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/clock.hpp"
#include "postern/base/random.hpp"
#include "postern/base/result.hpp"
#include "postern/base/secret.hpp"
#include "postern/base/transport.hpp"

/// TLS over any transport, and the only place that sees OpenSSL's SSL API.
namespace postern::tls {

enum class Version : std::uint8_t { tls1_0, tls1_1, tls1_2, tls1_3 };

/// Why a context could not be made: `subject` is the file or the option at fault, empty if it
/// is none of them.
struct SetupError {
  std::string subject;
  std::string message;
};

struct CertificateFiles {
  std::string cert_file;
  std::string key_file;
};

struct ServerOptions {
  std::vector<CertificateFiles> certificates;  ///< at least one; the first is the default
  Version min_version = Version::tls1_2;
  Version max_version = Version::tls1_3;
  std::string ciphers;
  std::string ciphersuites;
  std::string curves;
  std::string alpn = "pop3";  ///< a client that offers ALPN without it gets a fatal alert (RFC 7301 §3.2)
};

/// What is known of a certificate; for metrics and messages.
struct CertificateInfo {
  std::string file;
  std::vector<std::string> names;  ///< DNS names (subjectAltName, else common name), lower case
  WallTime not_after;
};

/// Session ticket keys (RFC 5077 §4), shared by all contexts of the process so that a client resumes on any
/// loop. A new key is made every `kRotation`; the one before still opens tickets. Safe on any thread.
class TicketKeys {
 public:
  static constexpr std::chrono::hours kRotation{6};
  static constexpr std::size_t kNameLength = 16;

  /// Wipes itself.
  struct Key {
    ~Key();
    std::array<unsigned char, kNameLength> name;
    std::array<unsigned char, 32> aes;
    std::array<unsigned char, 32> hmac;
  };

  TicketKeys(const Clock& clock, Random& random);

  /// For another process on this machine, so that it resumes what this one began.
  Secret save();
  /// Replaces the keys by what another one saved. False, and nothing changes: it is not such a thing.
  bool restore(std::string_view saved);

  /// The key that new tickets are sealed with; rotates when it is due.
  Key current();
  struct Found {
    Key key;
    bool is_current;
  };
  /// The key of a ticket that came back, or nothing when it is too old or not ours.
  std::optional<Found> find(const unsigned char* name);

 private:
  void rotate_if_due();

  const Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  TimePoint made_;
  Key current_;
  std::optional<Key> previous_;
};

/// What a finished handshake agreed on; the views are constants of OpenSSL or live as long as the transport.
struct Info {
  std::string_view version;  ///< "TLSv1.3"
  std::string_view cipher;
  bool resumed = false;
  std::string server_name;  ///< SNI, empty if none came
};

/// TLS as a filter over another transport.
///
/// - Ciphertext is staged and sent in one piece; `unsent()` counts it and what the transport below holds.
/// - `try_write` takes at most 64 KiB at once, and nothing while anything is staged that would not go.
/// - `try_read` reads until the span is full or the transport below would block. In the second case
///   `want == read` comes together with the octets of a short read; after a full one `want` is none, and the
///   rest may lie in memory: call again before waiting. An end that follows octets is told by the next call.
/// - A fatal alert is flushed as far as the transport below takes it at once.
/// - A finished handshake may leave something staged (tickets), so that it leaves with the first write.
class TlsTransport : public Transport {
 public:
  virtual Info info() const = 0;
};

/// A server's certificates and rules, for one loop: not safe on several threads. Transports keep what they
/// need of it alive, so it may go (reload) while sessions use it.
class ServerContext {
 public:
  virtual ~ServerContext() = default;
  /// Takes over a connection whose first octets are, or will be, a ClientHello.
  virtual std::unique_ptr<TlsTransport> accept(std::unique_ptr<Transport> lower) = 0;
  virtual const std::vector<CertificateInfo>& certificates() const noexcept = 0;
};

/// Reads the files and checks them: every key has to fit its certificate. Certificates with the same
/// names and keys of different types are offered side by side. Without ticket keys nobody resumes. Blocks
/// on the file system.
Result<std::unique_ptr<ServerContext>, SetupError> make_server_context(const ServerOptions& options,
                                                                       std::shared_ptr<TicketKeys> keys);

struct ClientOptions {
  bool verify = true;
  std::string ca_file;                   ///< empty: the system's store
  std::vector<std::string> pins_sha256;  ///< of the SubjectPublicKeyInfo, 64 hex digits in lower case
  Version min_version = Version::tls1_2;
  std::string alpn = "pop3";  ///< offered; a server that ignores ALPN is fine
};

/// The client's side towards backends, for one loop.
class ClientContext {
 public:
  virtual ~ClientContext() = default;
  /// `host` is verified against the certificate (a name or an address) and, unless it is an
  /// address, sent as SNI.
  virtual std::unique_ptr<TlsTransport> connect(std::unique_ptr<Transport> lower,
                                                const std::string& host) = 0;
};

Result<std::unique_ptr<ClientContext>, SetupError> make_client_context(const ClientOptions& options);

}  // namespace postern::tls
