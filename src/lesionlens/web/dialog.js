import { button, h, sheet } from "./dom.js";

/** Show a node in a modal dialog, which gives the focus back; `closed` resolves to what `close` was given. */
export function openDialog(node, { label, dismissable = true }) {
	const before = document.activeElement;
	const dialog = h("dialog", { "aria-label": label, closedby: !dismissable && "none" }, node);
	let result;
	const closed = new Promise((done) => {
		dialog.onclose = () => {
			document.body.append(...dialog.querySelectorAll(".toasts")); // what was said in it goes on being said
			dialog.remove();
			if (before?.isConnected) before.focus({ preventScroll: true });
			done(result);
		};
	});
	document.body.append(dialog);
	dialog.showModal();
	const close = (value) => {
		result = value;
		dialog.close();
	};
	return { closed, close };
}

/** Ask for a yes; Escape is a no. Where agreeing destroys something (`danger`), the focus is on the other button. */
export async function ask({ title, body, confirm = "OK", cancel = "Cancel", danger = false }) {
	const yes = button(confirm, () => close(true), danger ? "danger" : "primary");
	const no = cancel && button(cancel, () => close(false));
	const { close, closed } = openDialog(sheet(title, h("div", body), h("div.actions", no, yes)), { label: title });
	(danger ? no : yes).focus();
	return (await closed) === true;
}
