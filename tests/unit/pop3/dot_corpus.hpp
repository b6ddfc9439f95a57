#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace postern::pop3 {

/// Answers, whole or not, at which a scanner may stumble. Some have a rest behind their end.
inline const std::vector<std::string>& difficult_answers() {
  static const std::vector<std::string> kAnswers = {
      "",
      ".\r\n",
      ".\r\n+OK next\r\n",
      "\r\n.\r\n",
      "\r\n.\r\n.\r\n",
      "Subject: a\r\n\r\nbody\r\n.\r\n",
      "a\r\n..\r\nb\r\n.\r\nrest",
      "\r\n..\r\n",
      "\r\n.x\r\n.\r\n",
      "..\r\n.\r\n",
      "\r.\r\n",
      "a\r.\r\n.\r\n",
      "\n.\n",
      "\n.\r\n",
      "a\n.\r\nb\r\n.\r\n",
      "a\r\n.\nb\r\n.\r\n",
      ".\n.\r\n.\r\n",
      ".\n",
      "\r\n.\r\r\n.\r\n",
      "\r\n.\r.\r\n.\r\n",
      "\r\r\n.\r\n",
      "\r\n\r\n.\r\n\r\n",
      "a\r\n.\r",
      "a\r\n.",
      "a\r\n\n.\r\n",
      "a\n\n..\n.\r\n\r\n.\r\n",
      "a\n.\n.\n\r\n.\r\n",
      "a\n\r\n.\r\n",
      "\n\r.\r\n.\r\n",
      "................................\r\n.\r\n",
      "\r\n.\r\n.\r\n.\r\n.\r\n.\r\n",
      std::string("\0.\r\n\0\r\n.\r\n", 10),
      "a.\r\nb.\r\n.\r\n",
  };
  return kAnswers;
}

/// Texts of the octets that matter, the same in every run.
class RandomAnswers {
 public:
  std::string next() {
    std::string text(generator_() % kMaxLength, 'a');
    for (auto& octet : text) octet = "\r\n.a"[generator_() % 4];
    return text;
  }

  /// The length of a chunk; short ones are frequent.
  std::size_t chunk() { return 1 + generator_() % kMaxChunk; }

 private:
  static constexpr std::size_t kMaxLength = 41;
  static constexpr std::size_t kMaxChunk = 7;
  std::mt19937 generator_{20260729};
};

}  // namespace postern::pop3
