//! A certificate authority for one test.

use std::path::PathBuf;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

use super::Lab;

/// Signs certificates, and writes them into the lab's folder.
pub(crate) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    root: Certificate,
}

/// A certificate with its key, as PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    /// An authority whose root is `ca.pem` in the lab's folder.
    pub(crate) fn new(lab: &Lab) -> Authority {
        let authority = Authority::stranger(lab);
        lab.write("ca.pem", authority.root_pem());
        authority
    }

    /// An authority that nobody believes.
    pub(crate) fn stranger(lab: &Lab) -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "Tandem test authority");
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        Authority { folder: lab.folder().to_owned(), issuer: Issuer::new(params, key), root }
    }

    /// The root as PEM.
    pub(crate) fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// Signs a certificate for names and addresses, good for both roles.
    pub(crate) fn signs(&self, names: &[&str]) -> Identity {
        self.signs_with(names, |_| {})
    }

    /// Signs a certificate of a special kind.
    pub(crate) fn signs_with(
        &self,
        names: &[&str],
        special: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        self.signs_key(names, special, &KeyPair::generate().unwrap())
    }

    fn signs_key(
        &self,
        names: &[&str],
        special: impl FnOnce(&mut CertificateParams),
        key: &KeyPair,
    ) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, names[0]);
        params.subject_alt_names = names
            .iter()
            .map(|name| match name.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName((*name).try_into().unwrap()),
            })
            .collect();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        special(&mut params);
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Writes `NAME.pem`, `NAME.key`, and both in `NAME.both.pem`.
    pub(crate) fn writes(&self, name: &str, names: &[&str]) {
        self.writes_with_key(name, names, &KeyPair::generate().unwrap());
    }

    /// The same, with a key of a special kind.
    pub(crate) fn writes_with_key(&self, name: &str, names: &[&str], key: &KeyPair) {
        let Identity { certificate, key } = self.signs_key(names, |_| {}, key);
        std::fs::write(self.folder.join(format!("{name}.both.pem")), format!("{certificate}{key}")).unwrap();
        std::fs::write(self.folder.join(format!("{name}.pem")), certificate).unwrap();
        std::fs::write(self.folder.join(format!("{name}.key")), key).unwrap();
    }
}
