#include "timing/supply.hpp"

#include <algorithm>

namespace partita::tool {

Supply::Supply(const std::vector<PlannedWindow>& windows, std::size_t partition, Nanoseconds loss) {
    if (windows.empty()) return;
    constexpr Nanoseconds us = 1000;
    frame_ = windows.back().end() * us;
    for (const PlannedWindow& window : windows) {
        if ((window.partitions >> partition & 1u) == 0) continue;
        const bool alone = windows.size() == 1;  // it follows itself: there is nothing to switch
        const Nanoseconds begin = std::min(window.at * us + (alone ? 0 : loss), window.end() * us);
        parts_.push_back({begin, window.end() * us});
        each_frame_ += parts_.back().end - begin;
    }
}

Nanoseconds Supply::longest_for(Nanoseconds demand) const {
    if (frame_ == 0) return demand;
    if (each_frame_ == 0) return ~Nanoseconds{0};
    if (demand == 0) return 0;
    const Nanoseconds frames = (demand - 1) / each_frame_, rest = demand - frames * each_frame_;
    Nanoseconds worst = 0;
    for (std::size_t from = 0; from < parts_.size(); ++from) {
        Nanoseconds need = rest, time = 0;
        for (std::size_t step = 1; step <= parts_.size() && need != 0; ++step) {
            const std::size_t n = (from + step) % parts_.size();
            const Nanoseconds wrapped = from + step >= parts_.size() ? frame_ : 0;
            const Nanoseconds taken = std::min(need, parts_[n].end - parts_[n].begin);
            if (taken != 0) time = wrapped + parts_[n].begin + taken - parts_[from].end;
            need -= taken;
        }
        worst = std::max(worst, time);
    }
    return frames * frame_ + worst;
}

}  // namespace partita::tool
