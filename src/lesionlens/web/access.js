import { call, Failure } from "./api.js";
import { fill } from "./body/form.js";
import { h } from "./dom.js";

/** Ask for the password, if there is one; throws a Failure where there are no records, or nobody logged in. */
export async function openRecords() {
	const none = (detail) => new Failure("No records are kept", detail, 503);
	const { enabled, reason, access } = await call("v1/tracker").catch((error) => {
		throw error.status === 404 ? none("This service only analyses photos.") : error;
	});
	if (!enabled) throw none(reason ?? "The service was started without them.");
	if (!access.required || access.granted) return;
	if (!access.password) throw new Failure("The records need an API key", "This service takes no password; programs send their key with each request.", 401);
	if (!(await logIn())) throw new Failure("The records need a password", "Analysing a photo works without one.", 401);
}

let asking;

/** Ask for the password, once for all who wait for it; resolves to whether it was right. */
export function logIn() {
	asking ??= show().then(Boolean).finally(() => (asking = undefined));
	return asking;
}

const show = () =>
	fill({
		title: "Log in to the records",
		lead: h("p.quiet", "People, lesions and their photos are kept behind a password on this service."),
		fields: [{ name: "password", label: "Password", type: "password", more: { autocomplete: "current-password", required: true } }],
		confirm: "Log in",
		async save() {
			const password = document.querySelector("#field-password").value; // as it was typed, with its spaces
			await call("v1/session", { method: "POST", json: { password } }).catch((error) => {
				if (error.status === 401) error.errors = [{ field: "password", detail: "That is not the password." }];
				throw error;
			});
			return true;
		},
	});
