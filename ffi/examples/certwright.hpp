/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* certwright for C++17: owners that free what they hold, and exceptions that carry the error. Copy it into your program. */
#ifndef CERTWRIGHT_HPP
#define CERTWRIGHT_HPP

#include <certwright.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace certwright {

/* A view as long as its owner lives; empty where there is no text. */
inline std::string_view view(certwright_str text) {
  return text.data == nullptr ? std::string_view{} : std::string_view{text.data, text.len};
}

template <auto end>
struct Ends {
  template <typename T>
  void operator()(T *object) const noexcept { end(object); }
};

template <typename T, auto end>
using Owner = std::unique_ptr<T, Ends<end>>;

/* Why a call failed. */
class Error : public std::runtime_error {
 public:
  explicit Error(certwright_error *error)
      : std::runtime_error(std::string(view(certwright_error_message(error)))), error_(error, certwright_error_free) {}

  certwright_result kind() const noexcept { return certwright_error_kind(error_.get()); }
  certwright_aftermath aftermath() const noexcept { return certwright_error_aftermath(error_.get()); }
  std::string_view hint() const noexcept { return view(certwright_error_hint(error_.get())); }
  std::string_view phase() const noexcept { return view(certwright_error_phase(error_.get())); }
  std::string_view json() const noexcept { return view(certwright_error_json(error_.get())); }

 private:
  /* Shared, because exceptions are copied. */
  std::shared_ptr<certwright_error> error_;
};

/* Throws what a call wrote: `check([&](certwright_error **error) { return certwright_…(…, error); })`. */
template <typename Call>
void check(Call &&call) {
  certwright_error *error = nullptr;
  if (call(&error) != CERTWRIGHT_RESULT_OK) throw Error(error);
}

/* What a verb did or found. */
class Report {
 public:
  struct Lineage {
    std::string_view name;
    certwright_outcome outcome;
    bool changed;
    std::string_view generation;
    std::optional<std::int64_t> not_after;
    /* NULL where it went well; it is the report's. */
    const certwright_error *error;
  };

  explicit Report(certwright_report *report) : report_(report) {}

  certwright_outcome outcome() const noexcept { return certwright_report_outcome(report_.get()); }
  std::string_view json() const noexcept { return view(certwright_report_json(report_.get())); }
  std::vector<Lineage> lineages() const {
    std::vector<Lineage> all;
    const certwright_report *report = report_.get();
    for (std::size_t index = 0; index < certwright_report_lineages_len(report); ++index) {
      const std::int64_t until = certwright_report_lineage_not_after(report, index);
      all.push_back({view(certwright_report_lineage_name(report, index)), certwright_report_lineage_outcome(report, index),
                     certwright_report_lineage_changed(report, index),
                     view(certwright_report_lineage_generation(report, index)),
                     until == INT64_MIN ? std::nullopt : std::optional<std::int64_t>(until),
                     certwright_report_lineage_error(report, index)});
    }
    return all;
  }

 private:
  Owner<certwright_report, certwright_report_free> report_;
};

/* Key and chain of another client. */
class Material {
 public:
  Material(std::string_view key, std::string_view fullchain) {
    certwright_material *made = nullptr;
    check([&](certwright_error **error) {
      return certwright_material_new(key.data(), key.size(), fullchain.data(), fullchain.size(), &made, error);
    });
    material_.reset(made);
  }
  const certwright_material *get() const noexcept { return material_.get(); }

 private:
  Owner<certwright_material, certwright_material_free> material_;
};

/* The managed certificates of one configuration. */
class Lifecycle {
 public:
  /* From the text of a `certwright.toml`, whose name is for messages. */
  Lifecycle(std::string_view toml, std::string_view path) {
    certwright_config *config = nullptr;
    certwright_builder *builder = nullptr;
    certwright_lifecycle *made = nullptr;
    check([&](certwright_error **error) {
      return certwright_config_parse(toml.data(), toml.size(), path.data(), path.size(), &config, error);
    });
    Owner<certwright_config, certwright_config_free> owned(config);
    check([&](certwright_error **error) { return certwright_builder_new(config, &builder, error); });
    Owner<certwright_builder, certwright_builder_free> building(builder);
    check([&](certwright_error **error) { return certwright_builder_build(builder, &made, error); });
    lifecycle_.reset(made);
  }

  Report plan() const {
    return report([&](auto out, auto error) { return certwright_plan(get(), nullptr, 0, out, error); });
  }
  Report apply() const {
    return report([&](auto out, auto error) { return certwright_apply(get(), nullptr, 0, nullptr, out, error); });
  }
  Report verify(certwright_depth depth = CERTWRIGHT_DEPTH_WHOLE) const {
    return report([&](auto out, auto error) {
      return certwright_verify(get(), nullptr, 0, static_cast<std::uint32_t>(depth), out, error);
    });
  }
  Report status() const {
    return report([&](auto out, auto error) { return certwright_status(get(), nullptr, 0, out, error); });
  }
  Report deploy(std::string_view lineage, const Material &material) const {
    return report([&](auto out, auto error) {
      return certwright_deploy(get(), lineage.data(), lineage.size(), material.get(), nullptr, out, error);
    });
  }
  Report rollback(std::string_view lineage) const {
    return report([&](auto out, auto error) {
      return certwright_rollback(get(), lineage.data(), lineage.size(), nullptr, 0, nullptr, out, error);
    });
  }
  Report release(std::string_view lineage) const {
    return report([&](auto out, auto error) {
      return certwright_release(get(), lineage.data(), lineage.size(), nullptr, out, error);
    });
  }
  const certwright_lifecycle *get() const noexcept { return lifecycle_.get(); }

 private:
  template <typename Verb>
  static Report report(Verb &&verb) {
    certwright_report *out = nullptr;
    check([&](certwright_error **error) { return verb(&out, error); });
    return Report(out);
  }
  Owner<certwright_lifecycle, certwright_lifecycle_free> lifecycle_;
};

}  // namespace certwright

#endif
