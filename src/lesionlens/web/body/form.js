import { openDialog } from "../dialog.js";
import { button, field, h, sheet } from "../dom.js";
import { inWords } from "./failure.js";

/** `options` are values and texts. */
export const select = (props, options, chosen) =>
	h("select", props, ...options.map(([value, text]) => h("option", { value, selected: String(value) === String(chosen) }, text)));

/** Buttons, of which one stays pressed. */
export function chips(label, options, chosen, choose) {
	const press = ({ currentTarget: pressed }, value) => {
		for (const one of all) one.setAttribute("aria-pressed", one === pressed);
		choose(value);
	};
	const all = options.map(([value, ...content]) => h("button.chip", { "aria-pressed": String(value === chosen), onclick: (event) => press(event, value) }, ...content));
	return h("div.views", { role: "group", "aria-label": label }, ...all);
}

function row({ name, label, value, options, numeric, type = numeric ? "number" : "text", help, more }) {
	const id = `field-${name}`;
	const props = { id, name, "aria-describedby": `${id}-said`, ...more };
	const input = () => (type === "textarea" ? h(type, props, value) : h("input", { type, value, autocomplete: "off", ...props }));
	const made = field(label, options ? select(props, options, value) : input());
	made.append(h("div.small", { id: `${id}-said` }, help && h("p.quiet", help), h("p.problem")));
	return made;
}

/** A dialog that stays until `save` succeeds, whose result it resolves to, or it is given up; or to `other`, one more button. */
export function fill({ title, lead, fields, values = {}, confirm = "Save", other, save }) {
	const problem = h("p.problem", { role: "alert" });
	const submit = h("button.button.primary", confirm);
	const given = ({ name, options, numeric }) => {
		const value = form.elements[name].value.trim();
		if (!value && (options || numeric)) return null;
		return numeric ? Number(value) : value;
	};
	const complain = (errors) => {
		for (const { name } of fields) {
			const said = errors.find((error) => error.field === name)?.detail ?? "";
			form.querySelector(`#field-${name}-said .problem`).textContent = said;
			form.elements[name].setAttribute("aria-invalid", said !== "");
		}
	};
	const onsubmit = async (event) => {
		event.preventDefault();
		submit.disabled = true;
		problem.textContent = "";
		complain([]);
		try {
			close(await save(Object.fromEntries(fields.map((one) => [one.name, given(one)]))));
		} catch (error) {
			const known = error.errors?.filter(({ field }) => form.elements[field]) ?? [];
			complain(known);
			if (!known.length) problem.textContent = inWords(error);
			submit.disabled = false;
			(form.elements[known[0]?.field] ?? submit).focus();
		}
	};
	const buttons = h("div.actions", other && button(other, () => close(other), "quiet"), button("Cancel", () => close()), submit);
	const form = h("form", { onsubmit }, sheet(title, lead, ...fields.map((one) => row({ value: values[one.name], ...one })), problem, buttons));
	const { close, closed } = openDialog(form, { label: title });
	form.elements[fields[0].name].focus();
	return closed;
}
