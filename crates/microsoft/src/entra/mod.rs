//! Microsoft Entra ID: who signs in, for whom tokens are, and what a customer has consented to.
