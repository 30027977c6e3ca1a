//! Owns: the closed lists about reading a number: how it can be read, what a reading assumes, and which kinds of number get
//! no alerts. Pages say each in their own language, by its code.

use crate::domain::closed_list::closed_list;

closed_list! {
    /// What was assumed to come to a number.
    Guess {
        CountryDefault = "country_default",
        CountryOther = "country_other",
        CodeTwice = "code_twice",
        TypedCode = "typed_code",
        Ambiguous = "ambiguous",
        OneOfSeveral = "one_of_several",
        Repeated = "repeated",
        Satellite = "satellite",
        Personal = "personal",
        TrunkZero = "trunk_zero",
        ArNine = "ar_nine",
        ArFifteen = "ar_fifteen",
        ArArea = "ar_area",
        MxOne = "mx_one",
        BrNine = "br_nine",
        CoSixty = "co_sixty",
        BjOne = "bj_one",
        FieldUnusable = "field_unusable",
    }
}

impl Guess {
    /// In plain English.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::CountryDefault => "no country is stored: read as a number of the company's country",
            Self::CountryOther => "read as an international number of the company's country without its plus sign",
            Self::CodeTwice => "the calling code was written twice",
            Self::TypedCode => "a whole number with a calling code of its own stands behind the form's code",
            Self::Ambiguous => "another number fits the same text",
            Self::OneOfSeveral => "one of several numbers",
            Self::Repeated => "one digit repeated: a number that exists, and may be made up",
            Self::Satellite => "a satellite or global network number: WhatsApp is not to be expected",
            Self::Personal => "a personal number that is forwarded: WhatsApp is not to be expected",
            Self::TrunkZero => "a zero in front was removed",
            Self::ArNine => "Argentina: the mobile 9 was inserted",
            Self::ArFifteen => "Argentina: 15 was replaced by the mobile 9",
            Self::ArArea => "Argentina: eight digits behind 15 are a mobile of area 11",
            Self::MxOne => "Mexico: the old mobile prefix was removed",
            Self::BrNine => "Brazil: the ninth digit was inserted",
            Self::CoSixty => "Colombia: 60 was put in front of an old landline number",
            Self::BjOne => "Benin: 01 was put in front of an old number",
            Self::FieldUnusable => "the WhatsApp field holds no usable number: the phone column was read",
        }
    }
}

closed_list! {
    /// A way to read a text as a number.
    How {
        /// `+` and a calling code stand there.
        Explicit = "explicit",
        /// `00` in place of the plus.
        ZeroZero = "zero_zero",
        /// The country's own prefix for calls abroad.
        OwnPrefix = "own_prefix",
        /// As dialled inside the country.
        National = "national",
        /// The country's calling code without a plus.
        OwnCode = "own_code",
        /// The calling code once more.
        CodeTwice = "code_twice",
        /// A whole number with another code behind the form's code.
        TypedCode = "typed_code",
        /// The company's calling code without a plus.
        CompanyCode = "company_code",
        /// Compared only: as dialled inside the company's country.
        CompanyNational = "company_national",
        /// Compared only: the form's code names another country than the client's.
        ClientNational = "client_national",
    }
}

impl How {
    /// In plain English.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Explicit => "international, as written",
            Self::ZeroZero => "international, 00 in place of the plus",
            Self::OwnPrefix => "as dialled abroad from there, with the country's own prefix",
            Self::National => "as dialled inside the country",
            Self::OwnCode => "international, the country's code without its plus",
            Self::CodeTwice => "international, the calling code written twice",
            Self::TypedCode => "international, a code of its own behind the form's code",
            Self::CompanyCode => "international, the company's country code without its plus",
            Self::CompanyNational => "as dialled inside the company's country (compared only)",
            Self::ClientNational => "as dialled inside the client's country, without the form's code (compared only)",
        }
    }
}

closed_list! {
    /// A kind of number that gets no alerts.
    Unfit {
        TollFree = "toll_free",
        Premium = "premium",
        SharedCost = "shared_cost",
        Pager = "pager",
        UniversalAccess = "universal_access",
        VoiceMail = "voice_mail",
        Switchboard = "switchboard",
        Landline = "landline",
        Fax = "fax",
        NoWhatsApp = "no_whatsapp",
    }
}

impl Unfit {
    /// In plain English. Toll-free and the like are a policy: the provider lets companies register even such numbers, but a
    /// client who stores one named somebody's hotline.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::TollFree => "a toll-free number: a hotline, not a person's phone, so no alert is sent to it",
            Self::Premium => "a premium-rate number: a hotline, not a person's phone, so no alert is sent to it",
            Self::SharedCost => "a shared-cost number: a hotline, not a person's phone, so no alert is sent to it",
            Self::Pager => "a pager number, which cannot have WhatsApp",
            Self::UniversalAccess => {
                "a company's universal access number, not a person's phone, so no alert is sent to it"
            }
            Self::VoiceMail => "a voicemail number, which cannot have WhatsApp",
            Self::Switchboard => {
                "a switchboard with extensions or several lines: a mobile 9 would make it a stranger's"
            }
            Self::Landline => "a landline, and landlines are switched off",
            Self::Fax => "a fax number, as the text says",
            Self::NoWhatsApp => "a number without WhatsApp, as the text says",
        }
    }
}
