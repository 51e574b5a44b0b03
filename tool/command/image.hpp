// What the commands that make an image have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "command/load.hpp"
#include "pack/flash.hpp"
#include "pack/pack.hpp"

namespace partita::tool {

// Seconds since 1970 now; in a deterministic run, when its board's clock begins (run/qemu.cpp).
[[nodiscard]] std::uint32_t epoch(bool deterministic);

// What an image is made for, and who signs it.
struct ImageArguments {
    std::string key, flash;
    std::uint32_t version = 0;

    CLI::Option* add_to(CLI::App& command) {
        auto* const option =
            command.add_option("--sign", key, "Sign the image with this private key (PEM, P-256): the secure partition checks it");
        command.add_option("--image-version", version, "The version of a signed image")->needs(option)->capture_default_str();
        return command.add_option("--flash", flash,
                                  "The folder of the board's flash, in which it begins: made where it is not there, what the secure world "
                                  "keeps in it stays");
    }
    // Of what is the same for each of them.
    [[nodiscard]] PackOptions options() const {
        PackOptions out;
        out.signing_key = key;
        out.image_version = version;
        out.in_flash = !flash.empty();
        return out;
    }
};

// Writes the board's flash, or says why not.
[[nodiscard]] FlashFiles write_flash(const Loaded& loaded, const SystemImage& image, const std::string& folder);

}  // namespace partita::tool
