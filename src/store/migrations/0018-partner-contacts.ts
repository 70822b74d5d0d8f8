// Several people at a partner, each told by a message and a link of their own.

export const sql = `
alter table partner_message add column contact text not null default '';
alter table partner_message drop constraint partner_message_partner_task_id_event_key;
alter table partner_message add constraint partner_message_of_contact unique (partner, task_id, event, contact);
alter table partner_link add column contact text not null default '';
`;
