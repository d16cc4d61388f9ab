// Issues or renews what is due: apply CONFIG
#include <fstream>
#include <iostream>
#include <sstream>

#include "certwright.hpp"

int main(int argc, char **argv) try {
  if (argc != 2) {
    std::cerr << "usage: apply CONFIG\n";
    return 2;
  }
  std::ostringstream toml;
  toml << std::ifstream(argv[1]).rdbuf();
  const certwright::Lifecycle lifecycle(toml.str(), argv[1]);
  const certwright::Report report = lifecycle.apply();
  for (const auto &lineage : report.lineages()) {
    std::cout << lineage.name << ": ";
    if (lineage.error != nullptr)
      std::cout << certwright::view(certwright_error_message(lineage.error)) << '\n';
    else
      std::cout << lineage.generation << (lineage.changed ? " is new" : " stays") << '\n';
  }
  return static_cast<int>(report.outcome());
} catch (const certwright::Error &error) {
  std::cerr << "apply: " << error.what() << '\n';
  if (!error.hint().empty()) std::cerr << "hint: " << error.hint() << '\n';
  return 2;
}
