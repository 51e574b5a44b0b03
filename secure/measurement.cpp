#include "measurement.hpp"

#include <bearssl.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace partita::secure {

using std::uint32_t;
using std::uint64_t;

namespace {

constexpr uint32_t piece = 512;
constexpr uint64_t largest_description = 0x20'0000;  // the hypervisor's own block

class Hasher {
public:
    explicit Hasher(const Memory& memory) : memory_(memory) { br_sha256_init(&context_); }
    // False where it is no memory.
    [[nodiscard]] bool add(uint64_t at, uint64_t size) {
        std::array<std::uint8_t, piece> bytes;
        while (size != 0) {
            const auto part = static_cast<uint32_t>(std::min<uint64_t>(size, piece - at % piece));
            if (!memory_.read(memory_.context, at, bytes.data(), part)) return false;
            br_sha256_update(&context_, bytes.data(), part);
            at += part, size -= part;
        }
        return true;
    }
    void take(std::uint8_t* out) const { br_sha256_out(&context_, out); }

private:
    const Memory& memory_;
    br_sha256_context context_;
};

template <typename Record>
[[nodiscard]] bool read(const Memory& memory, uint64_t at, Record& out) {
    return memory.read(memory.context, at, &out, sizeof out);
}

// Record n of a table of the description at `base`, which has `size` bytes.
template <typename Record>
[[nodiscard]] bool read_record(const Memory& memory, uint64_t base, uint64_t size, partita_table table, uint32_t n, Record& out) {
    const uint64_t at = uint64_t{table.offset} + uint64_t{n} * sizeof out;
    return n < table.count && at + sizeof out <= size && read(memory, base + at, out);
}

[[nodiscard]] const char* measure_partition(const Memory& memory, uint64_t base, const partita_image_header& header, uint32_t n,
                                            partita_measurement& out) {
    partita_partition partition;
    if (!read_record(memory, base, header.size, header.partitions, n, partition)) return "the description's partitions are not in it";
    if (partition.name[PARTITA_NAME_SIZE - 1] != 0) return "a partition's name has no end";
    std::memcpy(out.name, partition.name, sizeof out.name);
    Hasher hasher{memory};
    for (uint32_t k = 0; k < partition.copies.count; ++k) {
        partita_copy copy;
        if (!read_record(memory, base, header.size, header.copies, partition.copies.first + k, copy))
            return "a partition's copies are not in the description";
        if (!hasher.add(copy.source, copy.size)) return "what a partition is filled from is not in memory";
    }
    hasher.take(out.hash);
    return nullptr;
}

}  // namespace

void measure(const Memory& memory, uint64_t hypervisor, Measured& out) {
    partita_hypervisor_header own;
    partita_image_header header;
    out.count = 0;
    if (!read(memory, hypervisor, own) || own.magic != PARTITA_IMAGE_MAGIC) return void(out.wrong = "there is no hypervisor");
    const uint64_t description = hypervisor + own.description_offset;
    const uint64_t end = uint64_t{own.description_offset} + own.description_size;
    if (end > largest_description || own.description_size < sizeof header || !read(memory, description, header) ||
        header.magic != PARTITA_IMAGE_MAGIC || header.version != PARTITA_IMAGE_VERSION || header.size != own.description_size ||
        header.partitions.count > PARTITA_MAX_PARTITIONS)
        return void(out.wrong = "the description is damaged, or of another version");
    Hasher hasher{memory};
    if (!hasher.add(hypervisor, end)) return void(out.wrong = "the hypervisor is not in memory");
    std::strncpy(out.all[0].name, "hypervisor", sizeof out.all[0].name);
    hasher.take(out.all[0].hash);
    for (uint32_t n = 0; n < header.partitions.count; ++n)
        if (out.wrong = measure_partition(memory, description, header, n, out.all[n + 1]); out.wrong != nullptr) return;
    out.count = header.partitions.count + 1;
    out.signature_at = hypervisor + end;
    br_sha256_context all;
    br_sha256_init(&all);
    br_sha256_update(&all, out.all.data(), out.count * sizeof out.all[0]);
    br_sha256_out(&all, out.system.data());
    out.wrong = nullptr;
}

std::array<std::uint8_t, PARTITA_HASH_SIZE> signed_hash(uint32_t version, const Measured& measured) {
    const uint32_t words[] = {PARTITA_IMAGE_SIGNATURE_MAGIC, version};
    std::array<std::uint8_t, PARTITA_HASH_SIZE> out;
    br_sha256_context context;
    br_sha256_init(&context);
    br_sha256_update(&context, words, sizeof words);
    br_sha256_update(&context, measured.system.data(), measured.system.size());
    br_sha256_out(&context, out.data());
    return out;
}

}  // namespace partita::secure
