// The page is a client of the public API like any other.

/** A failure that can be shown; its status is 0 when there was no answer, its errors are `{field, detail}`. */
export class Failure extends Error {
	constructor(title, detail, status = 0, errors = []) {
		super(detail);
		Object.assign(this, { title, status, errors });
	}
}

/** Ask the service, as `fetch` does; `json` becomes the body. What needs a login is sent again after one. Throws a Failure. */
export async function call(path, { json, ...options } = {}) {
	if (json) Object.assign(options, { body: JSON.stringify(json), headers: { "Content-Type": "application/json" } });
	let response;
	try {
		response = await fetch(path, options);
	} catch (error) {
		if (error.name === "AbortError") throw error;
		document.dispatchEvent(new Event("unreachable"));
		throw new Failure("The service cannot be reached", "Check the connection, then try again.");
	}
	if (response.status === 204) return null;
	const body = await response.json().catch(() => null);
	if (response.ok && body) return body;
	if (response.status === 401 && path !== "v1/session") {
		const { logIn } = await import("./access.js");
		if (await logIn()) return call(path, options);
	}
	const failure = new Failure(body?.title ?? "The service failed", body?.detail ?? `It answered with status ${response.status}.`, response.status, body?.errors);
	throw Object.assign(failure, { retryAfter: Number(response.headers.get("Retry-After")) }); // seconds
}

/** An analysis of a photo, with the maps of all classes. */
export function analyse(photo, signal) {
	const body = new FormData();
	body.append("file", photo, "photo"); // the name of a file can tell who is on the photo
	return call("v1/analyses?maps=all", { method: "POST", body, signal });
}

export const describeModel = () => call("v1/model");

let classes;

/** The answers that the service can give; asked for once, unless that failed. */
export function listClasses() {
	classes ??= call("v1/classes").catch((error) => {
		classes = undefined;
		throw error;
	});
	return classes;
}

/** A new id. Over plain HTTP browsers withhold `randomUUID`, but the address of any object ends with one. */
export const newId = () => crypto.randomUUID?.() ?? URL.createObjectURL(new Blob()).slice(-36);
