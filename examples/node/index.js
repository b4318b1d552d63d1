// The runtime loads an action with `require`.
exports.main = async (params) => (await import("./action.mjs")).main(params);
