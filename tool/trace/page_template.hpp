// page.html, as it is built into the tool.
#pragma once

namespace partita::tool {

extern const char* const page_template;  // with @DATA@ where the data go

}  // namespace partita::tool
