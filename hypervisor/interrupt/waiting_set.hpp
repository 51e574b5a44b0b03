// The interrupts of a vCPU that wait for a list register, the most urgent first: however many a guest makes pending, each step takes the
// logarithm of their number. For the vCPU's CPU alone.
#pragma once

#include <array>
#include <cstdint>

#include "partita/system_image.h"

namespace partita {

class WaitingSet {
public:
    static constexpr std::uint32_t none = ~0u;

    // priority: 0 (most urgent) to 31. Lower numbers win among equals (IHI 0048B §3.3). One that is in already changes its place.
    void add_pending(std::uint32_t id, std::uint32_t priority) { put(pending, id, priority << 9); }
    // forced: active by a write to ISACTIVER alone, behind all that a vCPU took.
    void add_active(std::uint32_t id, std::uint32_t priority, bool forced) { put(active, id, priority << 9 | (forced ? 1u << 14 : 0)); }
    void remove(std::uint32_t id) {
        if (const std::uint32_t place = places_[id]; place != 0) take(place / kind_bit, place % kind_bit - 1);
    }
    void clear() {
        for (Heap& heap : heaps_)
            while (heap.count != 0) places_[heap.keys[--heap.count] & id_mask] = 0;
    }

    [[nodiscard]] bool any() const { return (heaps_[pending].count | heaps_[active].count) != 0; }
    [[nodiscard]] bool any_active() const { return heaps_[active].count != 0; }
    // The most urgent of each kind, or none.
    [[nodiscard]] std::uint32_t first_pending() const { return first(heaps_[pending]); }
    [[nodiscard]] std::uint32_t first_active() const { return first(heaps_[active]); }

private:
    static constexpr std::uint32_t most = PARTITA_MAX_INTERRUPTS, id_mask = 0x1ff, kind_bit = 0x8000;
    static_assert(most <= id_mask + 1);
    static constexpr unsigned pending = 0, active = 1;

    // A binary heap of keys: what orders them, above the INTID.
    struct Heap {
        std::uint32_t count = 0;
        std::array<std::uint16_t, most> keys{};
    };

    [[nodiscard]] static std::uint32_t first(const Heap& heap) { return heap.count != 0 ? heap.keys[0] & id_mask : none; }

    void set(unsigned kind, std::uint32_t n, std::uint32_t key) {
        heaps_[kind].keys[n] = static_cast<std::uint16_t>(key);
        places_[key & id_mask] = static_cast<std::uint16_t>((n + 1) | kind * kind_bit);
    }
    void put(unsigned kind, std::uint32_t id, std::uint32_t rank) {
        const std::uint32_t place = places_[id], key = rank | id;
        if (place != 0 && place / kind_bit == kind && heaps_[kind].keys[place % kind_bit - 1] == key) return;
        remove(id);
        const std::uint32_t n = heaps_[kind].count++;
        rise(kind, n, key);
    }
    void take(unsigned kind, std::uint32_t n) {
        Heap& heap = heaps_[kind];
        places_[heap.keys[n] & id_mask] = 0;
        const std::uint32_t last = heap.keys[--heap.count];
        if (n == heap.count) return;
        if (n != 0 && heap.keys[(n - 1) / 2] > last)
            rise(kind, n, last);
        else
            sink(kind, n, last);
    }
    // Puts a key at n, or where it belongs above.
    void rise(unsigned kind, std::uint32_t n, std::uint32_t key) {
        const auto& keys = heaps_[kind].keys;
        for (; n != 0 && keys[(n - 1) / 2] > key; n = (n - 1) / 2) set(kind, n, keys[(n - 1) / 2]);
        set(kind, n, key);
    }
    // ... or below.
    void sink(unsigned kind, std::uint32_t n, std::uint32_t key) {
        const Heap& heap = heaps_[kind];
        for (std::uint32_t child = 2 * n + 1; child < heap.count; child = 2 * n + 1) {
            if (child + 1 < heap.count && heap.keys[child + 1] < heap.keys[child]) ++child;
            if (heap.keys[child] >= key) break;
            set(kind, n, heap.keys[child]);
            n = child;
        }
        set(kind, n, key);
    }

    std::array<Heap, 2> heaps_{};
    std::array<std::uint16_t, most> places_{};  // of each INTID: 1 + its place, and which heap; 0: it does not wait
};

}  // namespace partita
