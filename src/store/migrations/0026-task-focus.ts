// A partner's Task is found by the order that it is about, when something else of that order has changed.

export const sql = `
create index home_resource_focus on home_resource (partner, (body -> 'focus' ->> 'reference')) where resource_type = 'Task';
`;
