export function nothing(): i32 { return 0 }
