//! Owns: what the page of preferences in the platform's client area says.

use crate::domain::hookpoint::Class;
use crate::domain::locale::Locale;

/// The words of one language.
#[derive(Debug)]
pub struct Labels {
    pub title: &'static str,
    pub about: &'static str,
    pub save: &'static str,
    pub saved: &'static str,
    /// No number, or none that can be written to.
    pub no_number: &'static str,
    /// The number itself asked for no (such) alerts.
    pub refused: &'static str,
    /// In the order of [`Class::ALL`].
    classes: [&'static str; 3],
}

impl Labels {
    #[must_use]
    pub fn class(&self, class: Class) -> &'static str {
        match class {
            Class::Security => self.classes[0],
            Class::Status => self.classes[1],
            Class::Notice => self.classes[2],
        }
    }
}

const SPANISH_OF_ARGENTINA: Labels = Labels {
    title: "Avisos por WhatsApp",
    about: "Elegí qué avisos recibe cada persona de tu cuenta. Los de seguridad llegan siempre; para no recibir ninguno, respondé BAJA desde el \
            teléfono.",
    save: "Guardar",
    saved: "Listo: quedó guardado.",
    no_number: "No tiene un número al que podamos escribir: corregilo en los datos de la cuenta.",
    refused: "Desde este teléfono se pidió no recibir avisos: para volver a recibirlos, respondé ALTA desde ahí.",
    classes: ["Seguridad", "Estado de servicios y pagos", "Facturas y novedades"],
};
const SPANISH: Labels = Labels {
    about: "Elige qué avisos recibe cada persona de tu cuenta. Los de seguridad llegan siempre; para no recibir ninguno, responde BAJA desde el \
            teléfono.",
    no_number: "No tiene un número al que podamos escribir: corrígelo en los datos de la cuenta.",
    refused: "Desde este teléfono se pidió no recibir avisos: para volver a recibirlos, responde ALTA desde ahí.",
    ..SPANISH_OF_ARGENTINA
};
const ENGLISH: Labels = Labels {
    title: "Alerts by WhatsApp",
    about: "Choose which alerts each person of your account gets. Security alerts always come; to get none at all, reply STOP from the phone.",
    save: "Save",
    saved: "Done: it is saved.",
    no_number: "There is no number that we can write to: correct it in the account's details.",
    refused: "This phone asked for no alerts: to get them again, reply START from it.",
    classes: ["Security", "State of services and payments", "Invoices and news"],
};
const PORTUGUESE: Labels = Labels {
    title: "Avisos por WhatsApp",
    about: "Escolha quais avisos cada pessoa da sua conta recebe. Os de segurança chegam sempre; para não receber nenhum, responda SAIR pelo \
            telefone.",
    save: "Salvar",
    saved: "Pronto: foi salvo.",
    no_number: "Não há um número para o qual possamos escrever: corrija-o nos dados da conta.",
    refused: "Por este telefone se pediu para não receber avisos: para voltar a recebê-los, responda VOLTAR por ele.",
    classes: ["Segurança", "Estado de serviços e pagamentos", "Faturas e novidades"],
};

/// The words of `locale`.
#[must_use]
pub fn labels(locale: Locale) -> &'static Labels {
    match locale.code() {
        "en" => &ENGLISH,
        "pt_BR" => &PORTUGUESE,
        "es_AR" => &SPANISH_OF_ARGENTINA,
        _ => &SPANISH,
    }
}
