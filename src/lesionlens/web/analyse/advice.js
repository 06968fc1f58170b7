import { card, h } from "../dom.js";

// The ABCDE of melanoma (Abbasi et al., JAMA 2004), the "ugly duckling" (Grob and Bonerandi, 1998), and what the NHS and
// the AAD tell people about moles that do not heal.
const SIGNS = [
	"it is new, or grows, or changes its shape or colour",
	"it is uneven in shape or colour, or has a ragged edge",
	"it itches, hurts, bleeds, crusts, or has not healed after four weeks",
	"it looks unlike your other moles",
];

const FIRST = {
	malignant: "Show the lesion to a doctor, best a dermatologist, within the next days to weeks. Most lesions that look suspicious turn out harmless; the ones that are not are treated best when found early.",
	benign: "Nothing here asks for haste. Photograph the lesion again in about three months, in the same light and from the same distance, and compare.",
	unsure: "Have the lesion looked at by a doctor if you want an answer: the model has none that can be relied on.",
	unsuitable: "Take a close-up through a dermatoscope if you can, or have the lesion looked at: no photo replaces that.",
};

/** What anybody can do next; general, and never a diagnosis. `kind` is that of `explain`. */
export const advice = (kind) =>
	card(
		"advice",
		"What should I do?",
		"advice",
		h("p", FIRST[kind]),
		h("p", "Whatever is said here, see a doctor soon if"),
		h("ul", ...SIGNS.map((sign) => h("li", sign))),
		h("p.quiet.small", "Sooner still if you have had skin cancer, if it runs in your family, or if your defences are weakened. Do not remove, cut or burn a lesion yourself. This is general advice: it does not know you or your skin."),
	);
