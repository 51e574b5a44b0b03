#include "store.hpp"

#include <algorithm>

#include "page.hpp"
#include "partita/guest/calls.h"

namespace partita::parent {

using std::uint32_t;

namespace {

constexpr uint32_t magic = 0x524f5453;  // "STOR"

[[nodiscard]] constexpr uint32_t round_up(uint32_t bytes) { return (bytes + page_size - 1) / page_size * page_size; }

}  // namespace

std::span<Store::Blob> Store::blobs() const {
    if (memory_.empty()) return {};
    return reinterpret_cast<Directory*>(memory_.data())->blobs;
}

void Store::open(std::span<std::uint8_t> memory, uint32_t ipa) {
    memory_ = memory, ipa_ = ipa;
    auto& directory = *reinterpret_cast<Directory*>(memory.data());
    if (directory.magic == 0) directory.magic = magic;  // zeroed at boot
    for (Blob& blob : blobs())
        if (blob.state == State::arriving) blob.state = State::free;
    // What partitions run lies somewhere in it: without knowing where, nothing may be put anywhere.
    damaged_ = directory.magic != magic || !good();
    if (damaged_) memory_ = {};
}

bool Store::good() const {
    for (const Blob& blob : blobs()) {
        if (blob.state == State::free) continue;
        const bool inside = blob.offset >= page_size && blob.offset % page_size == 0 && blob.offset <= memory_.size() &&
                            blob.size <= memory_.size() - blob.offset;
        if (blob.state > State::used || !inside) return false;
    }
    return true;
}

Store::Gap Store::gap_at(uint32_t begin) const {
    auto end = static_cast<uint32_t>(memory_.size());
    for (const Blob& blob : blobs()) {
        if (blob.state == State::free) continue;
        if (blob.offset <= begin && begin < blob.offset + round_up(blob.size)) return {};
        if (blob.offset > begin) end = std::min(end, blob.offset);
    }
    return {begin, end - begin};
}

// The smallest that has so many bytes; with 0, the largest.
Store::Gap Store::best_gap(uint32_t size) const {
    Gap best;
    const auto look = [&](uint32_t begin) {
        const Gap gap = gap_at(begin);
        const bool better = size == 0 ? gap.size > best.size : gap.size >= size && (best.size == 0 || gap.size < best.size);
        if (better) best = gap;
    };
    if (!memory_.empty()) look(page_size);
    for (const Blob& blob : blobs())
        if (blob.state != State::free) look(blob.offset + round_up(blob.size));
    return best;
}

uint32_t Store::room() const { return best_gap(0).size; }

void Store::free(uint32_t partition, State state, const Blob* but) const {
    for (Blob& blob : blobs())
        if (blob.state == state && blob.partition == partition && &blob != but) blob.state = State::free;
}

uint32_t Store::reserve(uint32_t partition, uint32_t size) {
    free(partition, State::arriving, nullptr);
    const Gap gap = best_gap(std::max(size, uint32_t{1}));
    const auto all = blobs();
    const auto blob = std::find_if(all.begin(), all.end(), [](const Blob& one) { return one.state == State::free; });
    if (gap.size == 0 || size > gap.size || blob == all.end()) return 0;
    *blob = {State::arriving, partition, gap.begin, size};
    return gap.begin;
}

Store::Blob* Store::arriving(uint32_t offset, uint32_t size) const {
    for (Blob& blob : blobs())
        if (blob.state == State::arriving && offset >= blob.offset && offset - blob.offset <= blob.size &&
            size <= blob.size - (offset - blob.offset))
            return &blob;
    return nullptr;
}

bool Store::put(uint32_t offset, std::span<const std::uint8_t> bytes) {
    if (arriving(offset, static_cast<uint32_t>(bytes.size())) == nullptr) return false;
    std::copy(bytes.begin(), bytes.end(), memory_.subspan(offset).begin());
    return true;
}

// Both what is given and what was are kept until it is known which of the two the hypervisor uses: a life may end in between.
hypercall_result Store::give(uint32_t partition, uint32_t offset) {
    Blob* const blob = arriving(offset, 0);
    if (blob == nullptr || blob->offset != offset || blob->partition != partition)
        return {static_cast<uint32_t>(PSCI_INVALID_ADDRESS), 0, 0, 0};
    blob->state = State::used;
    const hypercall_result result = partita_call_load(partition, ipa_ + offset, blob->size);
    if (result.r0 == PSCI_SUCCESS)
        free(partition, State::used, blob);
    else
        blob->state = State::arriving;
    return result;
}

uint32_t Store::take(uint32_t partition) {
    const uint32_t result = partita_call_load(partition, 0, 0).r0;
    if (result == PSCI_SUCCESS) free(partition, State::used, nullptr);
    return result;
}

}  // namespace partita::parent
