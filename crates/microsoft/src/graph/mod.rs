//! Microsoft Graph: presence, users, groups, photos, subscriptions.
