// The servers of protocol.md, tables A and B, as far as a client can tell them apart.
#include "support/imap_store.hpp"

namespace postern::test {

void ImapStore::like_dovecot() {
  static_cast<ImapManner&>(*this) = ImapManner();
  greeting_text = "Dovecot (Debian) ready.";
  capabilities = {"IMAP4rev1", "SASL-IR",  "LOGIN-REFERRALS", "ID",        "ENABLE",
                  "IDLE",      "LITERAL+", "AUTH=PLAIN",      "AUTH=LOGIN"};
  capabilities_after = {"IMAP4rev1",   "SASL-IR",       "LOGIN-REFERRALS", "ID",       "ENABLE",
                        "IDLE",        "SORT",          "UNSELECT",        "CHILDREN", "NAMESPACE",
                        "UIDPLUS",     "LIST-EXTENDED", "CONDSTORE",       "QRESYNC",  "ESEARCH",
                        "SPECIAL-USE", "MOVE",          "STATUS=SIZE",     "LITERAL+"};
  gone = Gone::nil;
  order = Order::uid_first;
  updates = Updates::inside;
  knows_guid = read_only_says_ok = true;
}

void ImapStore::like_cyrus() {
  static_cast<ImapManner&>(*this) = ImapManner();
  greeting_text = "server Cyrus IMAP 3.6.1-Debian-3.6.1-4 server ready";
  capabilities = {"IMAP4rev1", "LITERAL+", "ID", "ENABLE", "AUTH=PLAIN", "AUTH=LOGIN", "SASL-IR"};
  capabilities_after = {"IMAP4rev1",    "LITERAL+",    "ID",       "ENABLE",   "CONDSTORE",
                        "ESEARCH",      "MOVE",        "OBJECTID", "QRESYNC",  "SASL-IR",
                        "SPECIAL-USE",  "STATUS=SIZE", "UIDPLUS",  "UNSELECT", "COMPRESS=DEFLATE",
                        "LOGINDISABLED"};
  login_refusal = "NO Login failed: authentication failure";
  select_refusal = "NO Mailbox does not exist";
  trycreate = false;
  gone = Gone::once_more;
  updates = Updates::before;
  always_flags = true;
  quoted_below = 1;
}

void ImapStore::like_courier() {
  static_cast<ImapManner&>(*this) = ImapManner();
  greeting_text = "Courier-IMAP ready. Copyright 1998-2018 Double Precision, Inc.";
  capabilities = capabilities_after = {"IMAP4rev1", "UIDPLUS", "CHILDREN", "NAMESPACE", "THREAD=REFERENCES",
                                       "SORT",      "QUOTA",   "IDLE",     "ACL",       "ACL2=UNION"};
  capabilities_in_login_ok = false;
  login_refusal = "NO Login failed.";
  select_refusal = "NO Mailbox does not exist, or must be subscribed to.";
  bad = "NO";
  select_sends_uidnext = list_shows_special_use = false;
  gone = Gone::placeholder;
  doubles_expunge = takes_initial_response = true;
}

void ImapStore::like_exchange() {
  static_cast<ImapManner&>(*this) = ImapManner();
  greeting_text = "The Microsoft Exchange IMAP4 service is ready. [TABPADIAUAAxADIANwA=]";
  capabilities = {"IMAP4",    "IMAP4rev1", "AUTH=PLAIN", "SASL-IR",   "UIDPLUS", "ID",
                  "UNSELECT", "CHILDREN",  "IDLE",       "NAMESPACE", "LITERAL+"};
  capabilities_after = {"IMAP4", "IMAP4rev1", "AUTH=PLAIN", "SASL-IR", "UIDPLUS",   "MOVE",
                        "ID",    "UNSELECT",  "CHILDREN",   "IDLE",    "NAMESPACE", "LITERAL+"};
  capabilities_in_greeting = capabilities_in_login_ok = false;
  login_refusal = "NO LOGIN failed.";
  order = Order::uid_last;
  partial = Partial::whole;
}

void ImapStore::like_gmail() {
  static_cast<ImapManner&>(*this) = ImapManner();
  greeting_text = "Gimap ready for requests from 192.0.2.1 abcdef";
  capabilities = {"IMAP4rev1",       "UNSELECT", "IDLE",       "NAMESPACE", "QUOTA",        "ID",
                  "XLIST",           "CHILDREN", "X-GM-EXT-1", "SASL-IR",   "AUTH=XOAUTH2", "AUTH=PLAIN",
                  "AUTH=OAUTHBEARER"};
  capabilities_after = {
      "IMAP4rev1", "UNSELECT",    "IDLE",          "NAMESPACE",        "QUOTA",    "ID",         "XLIST",
      "CHILDREN",  "X-GM-EXT-1",  "UIDPLUS",       "COMPRESS=DEFLATE", "ENABLE",   "MOVE",       "CONDSTORE",
      "ESEARCH",   "UTF8=ACCEPT", "LIST-EXTENDED", "LIST-STATUS",      "LITERAL-", "SPECIAL-USE"};
  capabilities_in_greeting = capabilities_in_login_ok = false;
  capabilities_before_login_ok = true;
  login_refusal = "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)";
}

void ImapStore::like_hmailserver() {
  static_cast<ImapManner&>(*this) = ImapManner();
  greeting_text = "IMAPrev1";
  capabilities = capabilities_after = {"IMAP4", "IMAP4rev1", "CHILDREN",  "IDLE",       "QUOTA",
                                       "SORT",  "ACL",       "NAMESPACE", "RIGHTS=texk"};
  capabilities_in_greeting = capabilities_in_login_ok = false;
  login_refusal = "NO Invalid user name or password.";
}

}  // namespace postern::test
