"""Hand trained towers over: from a run to a bundle that Deno loads."""
