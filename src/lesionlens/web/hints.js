import { h } from "./dom.js";

/** What would make the next photo better; nothing when there is nothing to say. */
export function hints({ quality }) {
  return (
    quality.hints.length > 0 &&
    h(
      "section",
      { class: "card", "aria-labelledby": "hints" },
      h("h2", { id: "hints" }, "For a better photo"),
      h("ul", { class: "hints small" }, ...quality.hints.map(({ message }) => h("li", {}, message))),
    )
  );
}
