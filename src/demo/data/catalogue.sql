-- What the invented hosting company "Nube Austral" sells and how it has set up its platform; products and prices are in
-- products.toml. Every secret-bearing value holds the canary text, so that a leak is easy to find.

INSERT INTO tblcurrencies (id, code, prefix, suffix, format, rate, `default`) VALUES
(1, 'ARS', '$', '', 3, 1.00000, 1),
(2, 'USD', 'US$ ', '', 2, 0.00083, 0),
(3, 'BRL', 'R$ ', '', 3, 0.00458, 0),
(4, 'EUR', '', ' €', 3, 0.00077, 0);

INSERT INTO tblclientgroups (id, groupname, groupcolour, discountpercent, susptermexempt, separateinvoices) VALUES
(1, 'Mayoristas', '#d9edf7', 10.00, '', ''),
(2, 'VIP', '#fcf8e3', 0.00, 'on', 'on');

INSERT INTO tblproductgroups (id, name, slug, headline, tagline, hidden, `order`, created_at, updated_at) VALUES
(1, 'Hosting', 'hosting', 'Hosting para tu sitio', NULL, 0, 1, '@-2400 10:00:00', '@-2400 10:00:00'),
(2, 'Revendedores', 'revendedores', NULL, NULL, 0, 2, '@-2400 10:00:00', '@-2400 10:00:00'),
(3, 'Servidores VPS', 'vps', NULL, NULL, 0, 3, '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
(4, 'Correo', 'correo', NULL, NULL, 0, 4, '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
(5, 'Certificados SSL', 'ssl', NULL, NULL, 0, 5, '@-1200 10:00:00', '@-1200 10:00:00'),
(6, 'Servicios profesionales', 'servicios', NULL, NULL, 1, 6, '@-1200 10:00:00', '@-1200 10:00:00');

-- B1, B3: the higher plans a service may move to. Product 15 is not in the list: no upgrade without an executive.
INSERT INTO tblproduct_upgrade_products (product_id, upgrade_product_id) VALUES
(1, 2), (1, 3), (2, 3), (4, 5), (6, 7), (6, 8), (7, 8), (9, 10);

INSERT INTO tblservers (id, name, ipaddress, hostname, type, username, password, accesshash, active, disabled) VALUES
(1, 'austral1', '192.0.2.11', 'austral1.nubeaustral.example', 'cpanel', 'root', 'canary-do-not-leak', 'canary-do-not-leak', 1, 0),
(2, 'austral2', '192.0.2.12', 'austral2.nubeaustral.example', 'cpanel', 'root', 'canary-do-not-leak', 'canary-do-not-leak', 1, 0),
(3, 'vps1', '192.0.2.31', 'vps1.nubeaustral.example', 'virtualizor', 'root', 'canary-do-not-leak', 'canary-do-not-leak', 1, 0);

INSERT INTO tblpaymentgateways (gateway, setting, value, `order`) VALUES
('mercadopago', 'name', 'Mercado Pago', 1), ('mercadopago', 'type', 'Invoices', 0), ('mercadopago', 'visible', 'on', 0),
('mercadopago', 'access_token', 'canary-do-not-leak', 0),
('banktransfer', 'name', 'Transferencia bancaria', 2), ('banktransfer', 'type', 'Invoices', 0), ('banktransfer', 'visible', 'on', 0),
('banktransfer', 'instructions', 'CBU canary-do-not-leak', 0),
('paypal', 'name', 'PayPal', 3), ('paypal', 'type', 'Invoices', 0), ('paypal', 'email', 'canary-do-not-leak', 0),
('stripe', 'name', 'Tarjeta de cr&eacute;dito', 4), ('stripe', 'type', 'CC', 0), ('stripe', 'secretKey', 'canary-do-not-leak', 0);

INSERT INTO tblpromotions (id, code, type, recurring, value, cycles, appliesto, startdate, expirationdate, maxuses, uses, newsignups, upgrades, notes) VALUES
(1, 'BIENVENIDA', 'Percentage', 0, 20.00, '', '', '0000-00-00', '0000-00-00', 0, 41, 1, 0, 'canary-do-not-leak'),
(2, 'CYBER', 'Fixed Amount', 0, 5000.00, 'Annually', '1,2,3', '@-200', '@-193', 100, 37, 0, 0, ''),
(3, 'SUBIDEPLAN', 'Percentage', 1, 10.00, '', '1,2,3', '@-30', NULL, 0, 2, 0, 1, '');

INSERT INTO tblcustomfields (id, type, relid, fieldname, fieldtype, description, fieldoptions, adminonly, required, showorder, showinvoice, sortorder) VALUES
(1, 'client', 0, 'WhatsApp', 'text', 'Si es distinto del tel&eacute;fono', '', '', '', 'on', '', 1),
(2, 'client', 0, 'Acepto avisos por WhatsApp', 'tickbox', '', '', '', '', 'on', '', 2),
(3, 'client', 0, 'C&oacute;mo nos conociste', 'dropdown', '', 'Buscador,Recomendaci&oacute;n,Redes,Otro', '', '', 'on', '', 3),
(4, 'client', 0, 'Ejecutivo de cuenta', 'text', '', '', 'on', '', '', '', 4),
(5, 'product', 6, 'Nombre del servidor', 'text', '', '', '', 'on', 'on', 'on', 1),
(6, 'product', 6, 'Clave de root', 'password', '', '', '', '', 'on', '', 2),
(7, 'support', 1, 'Dominio afectado', 'text', '', '', '', '', '', '', 1);

INSERT INTO tblconfiguration (setting, value, created_at, updated_at) VALUES
('Version', '8.13.1-release.1', '@-2400 10:00:00', '@-100 03:00:00'),
('CompanyName', 'Nube Austral', '0000-00-00 00:00:00', '@-900 12:00:00'),
('Email', 'avisos@nubeaustral.example', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('SystemURL', 'https://paneldecliente.example/', '0000-00-00 00:00:00', '@-900 12:00:00'),
('Domain', 'https://nubeaustral.example', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('Language', 'Spanish', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('DefaultCountry', 'AR', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('DateFormat', 'DD/MM/YYYY', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('ClientDateFormat', '', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('Charset', 'utf-8', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('CutUtf8Mb4', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('PhoneNumberDropdown', '1', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('Template', 'twenty-one', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('OrderFormTemplate', 'standard_cart', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('DailyCronExecutionHour', '00', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('CreateInvoiceDaysBefore', '14', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('SendReminder', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('SendInvoiceReminderDays', '7', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('SendFirstOverdueInvoiceReminder', '1', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('SendSecondOverdueInvoiceReminder', '0', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('SendThirdOverdueInvoiceReminder', '0', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('AutoSuspension', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('AutoSuspensionDays', '5', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('AutoUnsuspend', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('AutoTermination', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('AutoTerminationDays', '30', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('AutoCancellationRequests', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('CancelInvoiceOnCancellation', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('ShowCancellationButton', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('AddLateFeeDays', '5', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('InvoiceLateFeeAmount', '10.00', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('LateFeeType', 'Percentage', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('DomainRenewalNotices', '30,7,-3,0,0', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('TaxEnabled', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('TaxType', 'Exclusive', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('TaxL2Compound', '', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('SequentialInvoiceNumbering', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('SequentialInvoiceNumberFormat', 'FC-0001-{NUMBER}', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('NoInvoiceEmailOnOrder', '', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('NoAutoApplyCredit', '', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('CreditOnDowngrade', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('ClientsProfileUneditableFields', '', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('SendEmailNotificationonUserDetailsChange', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('AutoClientStatusChange', '2', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('AllowClientsEmailOptOut', 'on', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('DisableClientEmailPreferences', '', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('MaintenanceMode', '', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('HooksDebugMode', '', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('ModuleHooks', '', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('AddonModulesHooks', 'hookbridge', '0000-00-00 00:00:00', '@-90 11:00:00'),
('InstanceID', 'demo0000demo', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('APIAllowedIPs', 'a:0:{}', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('License', 'canary-do-not-leak', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
('SMTPPassword', 'canary-do-not-leak', '0000-00-00 00:00:00', '0000-00-00 00:00:00');

INSERT INTO tbladdonmodules (module, setting, value) VALUES
('hookbridge', 'version', '0.1.0'),
('hookbridge', 'access', '1'),
('hookbridge', 'secret', 'canary-do-not-leak');

INSERT INTO tblticketdepartments (id, name, description, email, hidden) VALUES
(1, 'Soporte t&eacute;cnico', '', 'soporte@nubeaustral.example', ''),
(2, 'Administraci&oacute;n', '', 'cobros@nubeaustral.example', '');

INSERT INTO tblticketstatuses (title, color, sortorder, showactive, showawaiting, autoclose) VALUES
('Open', '#779500', 1, 1, 1, 0),
('Answered', '#000000', 2, 1, 0, 1),
('Customer-Reply', '#ff6600', 3, 1, 1, 1),
('Closed', '#888888', 10, 0, 0, 0),
('On Hold', '#224488', 5, 1, 0, 0),
('In Progress', '#cc0000', 6, 1, 0, 0);
