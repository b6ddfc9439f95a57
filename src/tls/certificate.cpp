#include "tls/certificate.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <string_view>

#include "postern/base/ascii.hpp"

namespace postern::tls {
namespace {

using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;

void add_name(std::vector<std::string>& names, const ASN1_STRING* text) {
  const std::string_view view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                              static_cast<std::size_t>(ASN1_STRING_length(text)));
  std::string name = ascii::to_lower(view);  // as DNS compares names (RFC 4343)
  if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
    names.push_back(std::move(name));
}

/// The DNS names, or the common name where there are none (RFC 6125 §6.4.4).
std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const NamesPtr alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; alternatives && i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (name->type == GEN_DNS) add_name(names, name->d.dNSName);
  }
  if (!names.empty()) return names;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) add_name(names, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  return names;
}

WallTime end_of(X509* certificate) {
  std::tm when{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) != 1) return WallTime{};
  return std::chrono::system_clock::from_time_t(timegm(&when));
}

/// Never asks on a terminal: an encrypted key is an error. Its argument tells that it was one.
int refuse_password(char*, int, int, void* was_asked) {
  if (was_asked != nullptr) *static_cast<bool*>(was_asked) = true;
  return -1;
}

Result<BioPtr, SetupError> open_file(const std::string& file) {
  ERR_clear_error();
  BioPtr bio(BIO_new_file(file.c_str(), "r"));
  if (!bio) return SetupError{file, "cannot be read: " + take_error()};
  return bio;
}

/// Whether the last read ended because there is no further PEM block, and not because of a broken one.
bool at_end_of_pem() {
  const unsigned long last = ERR_peek_last_error();
  return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

Result<void, SetupError> load_chain(const std::string& file, Certificate& into) {
  Result<BioPtr, SetupError> opened = open_file(file);
  if (!opened) return std::move(opened).error();
  BIO* const bio = opened->get();
  into.leaf.reset(PEM_read_bio_X509_AUX(bio, nullptr, refuse_password, nullptr));
  if (!into.leaf) {
    if (at_end_of_pem()) {
      ERR_clear_error();
      return SetupError{file, "holds no certificate in PEM form"};
    }
    return SetupError{file, "the certificate cannot be read: " + take_error()};
  }
  while (X509* next = PEM_read_bio_X509(bio, nullptr, refuse_password, nullptr))
    into.chain.emplace_back(next);
  if (!at_end_of_pem()) return SetupError{file, "a certificate of the chain cannot be read: " + take_error()};
  ERR_clear_error();
  return {};
}

Result<void, SetupError> load_key(const std::string& file, Certificate& into) {
  Result<BioPtr, SetupError> opened = open_file(file);
  if (!opened) return std::move(opened).error();
  bool encrypted = false;
  into.key.reset(PEM_read_bio_PrivateKey(opened->get(), nullptr, refuse_password, &encrypted));
  if (into.key) return {};
  const bool absent = at_end_of_pem() || ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_UNSUPPORTED;
  const std::string reason = take_error();
  if (encrypted) return SetupError{file, "the private key is encrypted"};
  if (absent) return SetupError{file, "holds no private key in a PEM form that is known"};
  return SetupError{file, "the private key cannot be read: " + reason};
}

}  // namespace

Result<Certificate, SetupError> load_certificate(const CertificateFiles& files) {
  Certificate certificate;
  if (auto chain = load_chain(files.cert_file, certificate); !chain) return std::move(chain).error();
  if (auto key = load_key(files.key_file, certificate); !key) return std::move(key).error();
  if (X509_check_private_key(certificate.leaf.get(), certificate.key.get()) != 1) {
    ERR_clear_error();
    return SetupError{files.key_file, "the private key does not match the certificate in " + files.cert_file};
  }
  certificate.info = {files.cert_file, names_of(certificate.leaf.get()), end_of(certificate.leaf.get())};
  return certificate;
}

}  // namespace postern::tls
