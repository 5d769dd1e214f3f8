//! Keys and peers of wireguard links. Peers that are links are asked for their keys by now: all links are there.

use std::collections::BTreeMap;

use wireloom_netlink::wireguard::{Device, PublicKey, SecretKey, Wireguard as Devices};

use super::kernel::Kernel;
use crate::{Error, LinkRef, PeerKey, Wireguard};

impl Kernel<'_> {
    /// Like `wg setconf`. A link without a key gets one.
    pub(super) fn configure(&mut self, at: &LinkRef, wanted: &Wireguard) -> Result<(), Error> {
        let mut keys = BTreeMap::new();
        for peer in &wanted.peers {
            if let PeerKey::Of(link) = &peer.key {
                keys.insert(link.clone(), self.public_key(link)?);
            }
        }
        let mut device = wanted.resolved(&|link| keys.get(link).copied()).device();
        if device.private_key.is_none() && self.device(at)?.private_key.is_none() {
            device.private_key = Some(generate(at)?);
        }
        self.set_device(at, &device)
    }

    /// The key of a link, which may not have been given one yet.
    fn public_key(&mut self, at: &LinkRef) -> Result<PublicKey, Error> {
        if let Some(key) = self.device(at)?.public_key {
            return Ok(key);
        }
        let private_key = Some(generate(at)?);
        self.set_device(at, &Device { private_key, ..Device::default() })?;
        self.device(at)?.public_key.ok_or_else(|| Error::UnknownLink { at: at.clone() })
    }

    fn device(&mut self, at: &LinkRef) -> Result<Device, Error> {
        let netlink = Error::netlink(&at.netns);
        let device = Devices::open(&self.open(&at.netns)?.netns).and_then(|mut all| all.get(at.ifname.as_str()));
        device.map_err(netlink)?.ok_or_else(|| Error::UnknownLink { at: at.clone() })
    }

    fn set_device(&mut self, at: &LinkRef, device: &Device) -> Result<(), Error> {
        let netlink = Error::netlink(&at.netns);
        let mut all = Devices::open(&self.open(&at.netns)?.netns).map_err(Error::netlink(&at.netns))?;
        all.set(at.ifname.as_str(), device).map_err(netlink)
    }
}

fn generate(at: &LinkRef) -> Result<SecretKey, Error> {
    let unready = |_| Error::NotSupported { feature: format!("random number for the key of {at}"), since: None };
    SecretKey::generate().map_err(unready)
}
