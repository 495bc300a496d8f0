"""What starts work: the schedule, chats, webhooks."""
