//! Expressions: what a rule is made of, as the kernel takes and shows it (linux/netfilter/nf_tables.h).

use crate::wire::{Reader, Writer};

const NFTA_LIST_ELEM: u16 = 1;
const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;
const NFTA_DATA_VALUE: u16 = 1;
const NFTA_DATA_VERDICT: u16 = 2;
const NFTA_VERDICT_CODE: u16 = 1;
const NFTA_VERDICT_CHAIN: u16 = 2;
const VERDICT: u32 = 0;

/// Where an expression leaves a value for the next. Registers are 16 bytes wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are numbered")]
pub enum Register {
    One = 1,
    Two = 2,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say it")]
pub enum Compare {
    Equal = 0,
    Unequal = 1,
}

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// It ends here.
    Drop,
    /// It passes this chain.
    Accept,
    /// Go on behind the jump that led here.
    Return,
    /// Look into another chain, and come back.
    Jump(String),
}

/// One expression. Numbers of keys are those of nf_tables.h.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Loads something about a packet: `meta iifname`.
    Meta {
        /// NFT_META_…
        key: u32,
        /// Where to.
        to: Register,
    },
    /// Sets something about a packet: `meta mark set`.
    MetaSet {
        /// NFT_META_…
        key: u32,
        /// What from.
        from: Register,
    },
    /// Loads bytes of a packet: `ip daddr`.
    Payload {
        /// NFT_PAYLOAD_…_HEADER.
        base: u32,
        /// From there on.
        offset: u32,
        /// So many.
        length: u32,
        /// Where to.
        to: Register,
    },
    /// Ends the rule here unless the value is as it should be.
    Compare {
        /// The value.
        from: Register,
        /// How.
        how: Compare,
        /// What with.
        with: Vec<u8>,
    },
    /// value & mask ^ xor.
    Bitwise {
        /// The value, and what becomes of it.
        at: Register,
        /// Bits that stay.
        mask: Vec<u8>,
        /// Bits that are turned round then.
        xor: Vec<u8>,
    },
    /// Asks the routes about a packet: `fib daddr type`.
    Fib {
        /// NFT_FIB_RESULT_…
        result: u32,
        /// NFTA_FIB_F_…
        flags: u32,
        /// Where to.
        to: Register,
    },
    /// Loads something about a flow: `ct state`.
    Ct {
        /// NFT_CT_…
        key: u32,
        /// Where to.
        to: Register,
    },
    /// A value.
    Immediate {
        /// Where to.
        to: Register,
        /// What.
        value: Vec<u8>,
    },
    /// Changes addresses: `snat to`, `dnat to`. The address is in register one, the port in register two.
    Nat {
        /// The destination; else the source.
        destination: bool,
        /// NFPROTO_IPV4 or NFPROTO_IPV6.
        family: u8,
        /// Whether the port changes, too.
        port: bool,
    },
    /// Changes the source to an address of the interface that it leaves by.
    Masquerade,
    /// Counts. What it has counted is no part of a rule.
    Counter,
    /// What becomes of the packet.
    Verdict(Code),
    /// Something that we do not write.
    Other(String, Vec<u8>),
}

/// NF_… and NFT_… of linux/netfilter.h and nf_tables.h.
const DROP: i32 = 0;
const ACCEPT: i32 = 1;
const JUMP: i32 = -3;
const RETURN: i32 = -5;

impl Expression {
    fn name(&self) -> &str {
        match self {
            Expression::Meta { .. } | Expression::MetaSet { .. } => "meta",
            Expression::Payload { .. } => "payload",
            Expression::Compare { .. } => "cmp",
            Expression::Bitwise { .. } => "bitwise",
            Expression::Fib { .. } => "fib",
            Expression::Ct { .. } => "ct",
            Expression::Immediate { .. } | Expression::Verdict(_) => "immediate",
            Expression::Nat { .. } => "nat",
            Expression::Masquerade => "masq",
            Expression::Counter => "counter",
            Expression::Other(name, _) => name,
        }
    }

    fn data(&self) -> Writer {
        let value = |bytes: &[u8]| Writer::new().bytes(NFTA_DATA_VALUE, bytes);
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("at most 16 bytes");
        let w = Writer::new();
        match self {
            Expression::Meta { key, to } => w.u32(1, *to as u32).u32(2, *key),
            Expression::MetaSet { key, from } => w.u32(2, *key).u32(3, *from as u32),
            Expression::Payload { base, offset, length, to } => {
                w.u32(1, *to as u32).u32(2, *base).u32(3, *offset).u32(4, *length)
            }
            Expression::Compare { from, how, with } => w.u32(1, *from as u32).u32(2, *how as u32).nest(3, value(with)),
            Expression::Bitwise { at, mask, xor } => {
                let ends = w.u32(1, *at as u32).u32(2, *at as u32).u32(3, length(mask));
                ends.nest(4, value(mask)).nest(5, value(xor))
            }
            Expression::Fib { result, flags, to } => w.u32(1, *to as u32).u32(2, *result).u32(3, *flags),
            Expression::Ct { key, to } => w.u32(1, *to as u32).u32(2, *key),
            Expression::Immediate { to, value: bytes } => w.u32(1, *to as u32).nest(2, value(bytes)),
            Expression::Nat { destination, family, port } => {
                let to = w.u32(1, u32::from(*destination)).u32(2, u32::from(*family));
                let to = to.u32(3, Register::One as u32);
                if *port { to.u32(5, Register::Two as u32) } else { to }
            }
            Expression::Masquerade => w,
            Expression::Counter => w.u64(1, 0).u64(2, 0),
            Expression::Verdict(code) => w.u32(1, VERDICT).nest(2, Writer::new().nest(NFTA_DATA_VERDICT, code.write())),
            Expression::Other(_, data) => Writer::raw(data),
        }
    }

    fn read(name: &str, data: Reader<'_>) -> Option<Expression> {
        let register = |kind| data.u32(kind).and_then(Register::read);
        let value = |kind| data.nest(kind)?.bytes(NFTA_DATA_VALUE).map(<[u8]>::to_vec);
        Some(match name {
            "meta" if data.bytes(3).is_some() => Expression::MetaSet { key: data.u32(2)?, from: register(3)? },
            "meta" => Expression::Meta { key: data.u32(2)?, to: register(1)? },
            "payload" if data.bytes(5).is_none() => {
                Expression::Payload { base: data.u32(2)?, offset: data.u32(3)?, length: data.u32(4)?, to: register(1)? }
            }
            "cmp" => Expression::Compare { from: register(1)?, how: Compare::read(data.u32(2)?)?, with: value(3)? },
            "bitwise" if register(1) == register(2) && data.u32(6).unwrap_or(0) == 0 => {
                Expression::Bitwise { at: register(1)?, mask: value(4)?, xor: value(5)? }
            }
            "fib" => Expression::Fib { result: data.u32(2)?, flags: data.u32(3)?, to: register(1)? },
            "ct" if data.bytes(3).is_none() && data.bytes(4).is_none() => {
                Expression::Ct { key: data.u32(2)?, to: register(1)? }
            }
            "immediate" if data.u32(1) == Some(VERDICT) => {
                Expression::Verdict(Code::read(data.nest(2)?.nest(NFTA_DATA_VERDICT)?)?)
            }
            "immediate" => Expression::Immediate { to: register(1)?, value: value(2)? },
            "nat" => nat(data)?,
            "masq" if data.bytes(2).is_none() && data.u32(1).unwrap_or(0) == 0 => Expression::Masquerade,
            "counter" => Expression::Counter,
            _ => return None,
        })
    }

    fn write(&self) -> Writer {
        Writer::new().text(NFTA_EXPR_NAME, self.name()).nest(NFTA_EXPR_DATA, self.data())
    }
}

/// The kernel shows the lower end of a range as the upper one as well, and sets flags for what it was given.
fn nat(data: Reader<'_>) -> Option<Expression> {
    let same = |low: u16, high: u16| data.u32(high).is_none_or(|high| data.u32(low) == Some(high));
    let known = data.u32(3) == Some(Register::One as u32) && same(3, 4) && same(5, 6);
    let port = match data.u32(5) {
        None => false,
        Some(register) if register == Register::Two as u32 => true,
        Some(_) => return None,
    };
    // NF_NAT_RANGE_MAP_IPS and NF_NAT_RANGE_PROTO_SPECIFIED say no more than that there are such registers.
    let flags = data.u32(7).unwrap_or(0) & !3;
    let family = u8::try_from(data.u32(2)?).ok()?;
    (known && flags == 0).then_some(Expression::Nat { destination: data.u32(1)? == 1, family, port })
}

impl Register {
    fn read(number: u32) -> Option<Register> {
        [Register::One, Register::Two].into_iter().find(|register| *register as u32 == number)
    }
}

impl Compare {
    fn read(number: u32) -> Option<Compare> {
        [Compare::Equal, Compare::Unequal].into_iter().find(|how| *how as u32 == number)
    }
}

impl Code {
    fn write(&self) -> Writer {
        let code = |code: i32| Writer::new().u32(NFTA_VERDICT_CODE, code.cast_unsigned());
        match self {
            Code::Drop => code(DROP),
            Code::Accept => code(ACCEPT),
            Code::Return => code(RETURN),
            Code::Jump(chain) => code(JUMP).text(NFTA_VERDICT_CHAIN, chain),
        }
    }

    fn read(verdict: Reader<'_>) -> Option<Code> {
        match verdict.u32(NFTA_VERDICT_CODE)?.cast_signed() {
            DROP => Some(Code::Drop),
            ACCEPT => Some(Code::Accept),
            RETURN => Some(Code::Return),
            JUMP => verdict.text(NFTA_VERDICT_CHAIN).map(Code::Jump),
            _ => None,
        }
    }
}

/// A rule's list of expressions.
pub(crate) fn write_all(expressions: &[Expression]) -> Writer {
    expressions.iter().fold(Writer::new(), |list, expression| list.nest(NFTA_LIST_ELEM, expression.write()))
}

pub(crate) fn read_all(list: Reader<'_>) -> Vec<Expression> {
    let read = |(_, item): (u16, &[u8])| {
        let item = Reader(item);
        let name = item.text(NFTA_EXPR_NAME).unwrap_or_default();
        let data = item.bytes(NFTA_EXPR_DATA).unwrap_or_default();
        Expression::read(&name, Reader(data)).unwrap_or_else(|| Expression::Other(name, data.to_vec()))
    };
    list.all().map(read).collect()
}
