/** "3 March", with the year where it is not this one. */
export function day(time) {
	const date = new Date(time);
	const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
	return date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year });
}

/** "3 Mar 2026, 14:05". */
export const moment = (time) => new Date(time).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** As inputs of type datetime-local have it, which is nearly how Swedes write it. */
export const toLocal = (time) => new Date(time).toLocaleString("sv").slice(0, 16).replace(" ", "T");

/** Back, with this place's offset: the clock on the wall is part of the record. */
export const fromLocal = (value) => value + new Date(value).toString().replace(/.*GMT(...)(..).*/, ":00$1:$2");
