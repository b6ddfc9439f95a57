#include "support/test_certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <array>
#include <fstream>

#include "postern/base/assert.hpp"

namespace postern::test {
namespace {

constexpr unsigned kRsaBits = 2048;

struct Free {
  void operator()(X509* x) const noexcept { X509_free(x); }
  void operator()(EVP_PKEY* x) const noexcept { EVP_PKEY_free(x); }
  void operator()(X509_EXTENSION* x) const noexcept { X509_EXTENSION_free(x); }
  void operator()(BIO* x) const noexcept { BIO_free_all(x); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<EVP_PKEY> make_key(TestCertificates::KeyType type) {
  Owned<EVP_PKEY> key(type == TestCertificates::KeyType::rsa ? EVP_RSA_gen(kRsaBits) : EVP_EC_gen("P-256"));
  POSTERN_ASSERT(key != nullptr);
  return key;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  POSTERN_ASSERT(extension != nullptr);
  POSTERN_ASSERT(X509_add_ext(certificate, extension.get(), -1) == 1);
}

Owned<X509> make_certificate(EVP_PKEY* key, const std::string& common_name, unsigned serial) {
  Owned<X509> certificate(X509_new());
  X509* const x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
  X509_set_pubkey(x, key);
  if (!common_name.empty()) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  }
  return certificate;
}

void set_validity(X509* certificate, std::chrono::hours from, std::chrono::hours length) {
  X509_gmtime_adj(X509_getm_notBefore(certificate), static_cast<long>(std::chrono::seconds(from).count()));
  X509_gmtime_adj(X509_getm_notAfter(certificate),
                  static_cast<long>(std::chrono::seconds(from + length).count()));
}

std::string alternative_names(const TestCertificates::Request& request) {
  std::string list;
  for (const std::string& name : request.dns_names) list += (list.empty() ? "DNS:" : ",DNS:") + name;
  for (const std::string& address : request.addresses) list += (list.empty() ? "IP:" : ",IP:") + address;
  return list;
}

std::string spki_sha256(X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  POSTERN_ASSERT(length > 0);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(der, static_cast<std::size_t>(length), digest.data());
  OPENSSL_free(der);
  std::string hex;
  for (const unsigned char octet : digest) {
    hex += "0123456789abcdef"[octet >> 4];
    hex += "0123456789abcdef"[octet & 15];
  }
  return hex;
}

void write_certificate(const std::string& file, X509* certificate) {
  const Owned<BIO> out(BIO_new_file(file.c_str(), "w"));
  POSTERN_ASSERT(out != nullptr && PEM_write_bio_X509(out.get(), certificate) == 1);
}

void write_key(const std::string& file, EVP_PKEY* key) {
  const Owned<BIO> out(BIO_new_file(file.c_str(), "w"));
  POSTERN_ASSERT(out != nullptr);
  POSTERN_ASSERT(PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
}

}  // namespace

struct TestCertificates::Authority {
  Owned<EVP_PKEY> key;
  Owned<X509> certificate;
};

TestCertificates::TestCertificates() : authority_(std::make_unique<Authority>()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "postern-certificates-XXXXXX").string();
  POSTERN_ASSERT(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  ca_file_ = (folder_ / "ca.pem").string();

  authority_->key = make_key(KeyType::ecdsa);
  authority_->certificate = make_certificate(authority_->key.get(), "postern test authority", 1);
  X509* const ca = authority_->certificate.get();
  set_validity(ca, std::chrono::hours(-10 * 24), std::chrono::hours(365 * 24));
  X509_set_issuer_name(ca, X509_get_subject_name(ca));
  add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(ca, ca, NID_subject_key_identifier, "hash");
  POSTERN_ASSERT(X509_sign(ca, authority_->key.get(), EVP_sha256()) > 0);
  write_certificate(ca_file_, ca);
}

TestCertificates::~TestCertificates() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

TestCertificates::Files TestCertificates::issue(const Request& request) {
  const std::string stem = (folder_ / ("leaf" + std::to_string(++issued_))).string();
  const Owned<EVP_PKEY> key = make_key(request.key_type);
  const Owned<X509> leaf = make_certificate(key.get(), request.common_name, issued_ + 1);
  X509* const ca = authority_->certificate.get();
  set_validity(leaf.get(), request.valid_from, request.valid_for);
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(ca));
  add_extension(leaf.get(), ca, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf.get(), ca, NID_authority_key_identifier, "keyid");
  const std::string names = alternative_names(request);
  if (!names.empty()) add_extension(leaf.get(), ca, NID_subject_alt_name, names);
  POSTERN_ASSERT(X509_sign(leaf.get(), authority_->key.get(), EVP_sha256()) > 0);
  Files files{stem + ".pem", stem + ".key", spki_sha256(leaf.get())};
  write_certificate(files.cert_file, leaf.get());
  write_key(files.key_file, key.get());
  return files;
}

TestCertificates::Files TestCertificates::issue(std::vector<std::string> dns_names) {
  Request request;
  request.dns_names = std::move(dns_names);
  return issue(request);
}

std::string TestCertificates::write(std::string_view name, std::string_view content) const {
  const std::filesystem::path path = folder_ / name;
  std::ofstream(path, std::ios::binary) << content;
  return path.string();
}

}  // namespace postern::test
