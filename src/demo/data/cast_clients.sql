-- The people of the play: clients 1 to 40, written by hand, each there for a reason. `'@-12` is the date 12 days ago.
-- Numbers are of the 555 kind, mails and domains are under names nobody can register: nobody real is meant.

INSERT INTO tblclients (id, firstname, lastname, companyname, email, city, state, postcode, country, phonenumber, tax_id, currency, datecreated, status, language) VALUES
(1, 'Lucía', 'Fernández', '', 'lucia.fernandez@correo.example', 'Buenos Aires', 'Ciudad Autónoma de Buenos Aires', 'C1414', 'AR', '+54.91155550101', '27-25555101-4', 1, '@-900', 'Active', 'spanish'),
(2, 'João', 'Pereira da Conceição', 'Pereira &amp; Filhos Ltda.', 'joao@pereiraefilhos.example', 'São Paulo', 'SP', '01310-100', 'BR', '+55.11955550102', '', 3, '@-700', 'Active', 'portuguese-br'),
(3, 'Emily', 'O&#039;Brien', 'O&#039;Brien &quot;Green&quot; Design', 'emily@obriendesign.example', 'Miami', 'FL', '33101', 'US', '+1.3055550103', '', 2, '@-650', 'Active', 'english'),
(4, 'Martín', 'Ñáñez', 'Ñáñez Hermanos S.R.L.', 'martin@nanezhermanos.example', 'Córdoba', 'Córdoba', 'X5000', 'AR', '+54.93515550104', '30-55555104-9', 1, '@-1500', 'Active', ''),
-- imported from the company's earlier system, with every accent as an entity
(5, 'Florencia', 'P&eacute;rez Mu&ntilde;oz', '', 'florencia.perez@correo.example', 'La Plata', 'Buenos Aires', 'B1900', 'AR', '+54.2215550105', '', 1, '@-3100', 'Active', 'spanish'),
(6, 'Alberto', 'García', 'Estudio García &amp; Asociados', 'estudio@garciayasociados.example', 'Rosario', 'Santa Fe', 'S2000', 'AR', '+54.93415550106', '30-55555106-1', 1, '@-2000', 'Closed', 'spanish'),
-- phones as people typed them before the country list, and as imports left them
(7, 'Ramón', 'Agüero', '', 'ramon.aguero@correo.example', 'Buenos Aires', 'Buenos Aires', '1425', 'AR', '011 15-5555-0107', '', 1, '@-4000', 'Active', 'spanish'),
(8, 'Graciela', 'Ibáñez', '', 'graciela.ibanez@correo.example', 'Mendoza', 'Mendoza', '5500', 'AR', '', '', 1, '@-300', 'Active', 'spanish'),
(9, 'Óscar', 'Núñez', '', 'oscar.nunez@correo.example', 'Salta', 'Salta', '4400', 'AR', 'no tiene', '', 1, '@-310', 'Active', ''),
(10, '&lt;script&gt;alert(1)&lt;/script&gt;', 'Prueba', '&quot;&gt;&lt;img src=x onerror=alert(2)&gt;', 'prueba@correo.example', 'Neuquén', 'Neuquén', '8300', 'AR', '+54.92995550110', '', 1, '@-90', 'Active', 'spanish'),
(11, '{{7*7}}', '{% raw %}', '{$smarty.version}', 'plantilla@correo.example', 'Tucumán', 'Tucumán', '4000', 'AR', '+54.93815550111', '', 1, '@-80', 'Active', 'spanish'),
(12, 'María de los Ángeles Guadalupe del Perpetuo Socorro Encarnación', 'Echegaray Goyeneche de Álvarez Etchegoyen y Larrañaga Urquiza', 'Cooperativa de Trabajo, Consumo, Vivienda, Provisión de Servicios Públicos y Sociales &quot;La Esperanza del Alto Valle de Río Negro y Neuquén&quot; Limitada (en formación) &amp; Compañía', 'cooperativa@laesperanza.example', 'General Roca', 'Río Negro', '8332', 'AR', '+54.92985550112', '30-55555112-6', 1, '@-1200', 'Active', 'spanish'),
(13, 'Washington', 'Olivera', 'Olivera Yacht', 'wolivera@correo.example', 'Montevideo', 'Montevideo', '11200', 'UY', '+598.094555013', '', 2, '@-500', 'Active', 'spanish'),
(14, 'Constanza', 'Sepúlveda', '', 'constanza@correo.example', 'Santiago', 'RM', '8320000', 'CL', '+56.955550114', '', 2, '@-480', 'Active', 'spanish'),
(15, 'José Luis', 'Hernández', '', 'joseluis@correo.example', 'Ciudad de México', 'CDMX', '06000', 'MX', '+52.15555550115', '', 2, '@-470', 'Active', 'spanish'),
(16, 'Iñaki', 'Etxeberria', 'Etxe S.L.', 'inaki@etxe.example', 'Bilbao', 'Bizkaia', '48001', 'ES', '+34.612555016', 'B55555016', 4, '@-460', 'Active', 'spanish'),
-- Brazil without the ninth digit
(17, 'Antônia', 'Guimarães', '', 'antonia@correo.example', 'São Paulo', 'SP', '01310-200', 'BR', '+55.1185550117', '', 3, '@-2500', 'Active', 'portuguese-br'),
-- the form sent no country code
(18, 'Hernán', 'Paz', '', 'hernan.paz@correo.example', 'Buenos Aires', 'Buenos Aires', '1406', 'AR', '+.1155550118', '', 1, '@-440', 'Active', ''),
-- no country at all
(19, 'Noelia', 'Quiroga', '', 'noelia.quiroga@correo.example', '', '', '', '', '11 5555-0119', '', 1, '@-430', 'Active', ''),
-- the country code typed again
(20, 'Sofía', 'D&#039;Angelo', '', 'sofia.dangelo@correo.example', 'Quilmes', 'Buenos Aires', '1878', 'AR', '+54.5491155550120', '', 1, '@-420', 'Active', 'spanish'),
(21, 'Pablo', 'Zárate', '', 'pablo.zarate@correo.example', 'Morón', 'Buenos Aires', '1708', 'AR', '5491155550121', '', 1, '@-2600', 'Active', 'spanish'),
(22, 'Cecilia', 'Müller', '', 'cecilia.muller@correo.example', 'Bariloche', 'Río Negro', '8400', 'AR', '+54.9 294 555-0122 ', '', 1, '@-410', 'Active', 'spanish'),
-- the same phone as client 1: two accounts of one household
(23, 'Tomás', 'Fernández', '', 'tomas.fernandez@correo.example', 'Buenos Aires', 'Ciudad Autónoma de Buenos Aires', 'C1414', 'AR', '+54.91155550101', '', 1, '@-400', 'Active', 'spanish'),
(24, 'Charlotte', 'Whitfield', '', 'charlotte@correo.example', 'Buenos Aires', 'Buenos Aires', '1425', 'AR', '+54.91155550124', '', 2, '@-390', 'Inactive', 'english'),
-- B1: the manual's example of an upgrade
(25, 'Valentina', 'Ríos', 'Ríos Diseño', 'valentina@riosdiseno.example', 'Mar del Plata', 'Buenos Aires', '7600', 'AR', '+54.92235550125', '', 2, '@-182', 'Active', 'spanish'),
-- D4: in debt
(26, 'Gustavo', 'Deudor Paz', '', 'gustavo@correo.example', 'San Juan', 'San Juan', '5400', 'AR', '+54.92645550126', '', 1, '@-380', 'Active', 'spanish'),
-- D6: both sides of a change of owner, the same name and company, different mails, both up to date
(27, 'Carla', 'Benítez', 'Benítez &amp; Hija', 'carla.nueva@correo.example', 'Posadas', 'Misiones', '3300', 'AR', '+54.93765550127', '27-25555128-6', 1, '@-60', 'Active', 'spanish'),
(28, 'Carla', 'Benítez', 'Benítez &amp; Hija', 'carla@correo.example', 'Posadas', 'Misiones', '3300', 'AR', '+54.93765550128', '27-25555128-6', 1, '@-1100', 'Active', 'spanish'),
(29, 'Rubén', 'Silencio', '', 'ruben@correo.example', 'Paraná', 'Entre Ríos', '3100', 'AR', '+54.93435550129', '', 1, '@-370', 'Active', 'spanish'),
(30, 'Milagros', 'Ortiz', '', 'milagros@correo.example', 'Bahía Blanca', 'Buenos Aires', '8000', 'AR', '+54.2914550130', '', 1, '@-360', 'Active', 'spanish'),
(31, 'Ernesto', 'Vega', '', 'ernesto@correo.example', 'Santa Fe', 'Santa Fe', '3000', 'AR', '+54.93425550131', '', 1, '@-350', 'Active', 'spanish'),
-- 32 and 33 belong to one user
(32, 'Daniela', 'Sosa', 'Vivero Sosa', 'vivero@sosa.example', 'Corrientes', 'Corrientes', '3400', 'AR', '+54.93795550132', '', 1, '@-340', 'Active', 'spanish'),
(33, 'Daniela', 'Sosa', 'Cabañas Sosa', 'cabanas@sosa.example', 'Corrientes', 'Corrientes', '3400', 'AR', '+54.93795550133', '', 1, '@-330', 'Active', 'spanish'),
-- D1: two clients with one mail, which the platform's tables allow
(34, 'Mónica', 'Duarte', '', 'duarte@correo.example', 'Formosa', 'Formosa', '3600', 'AR', '+54.93705550134', '', 1, '@-320', 'Active', 'spanish'),
(35, 'Raúl', 'Duarte', '', 'Duarte@Correo.example', 'Formosa', 'Formosa', '3600', 'AR', '+54.93705550135', '', 1, '@-319', 'Active', 'spanish'),
-- languages we have no texts for
(36, 'Amélie', 'Lefèvre', '', 'amelie@correo.example', 'Lyon', '', '69001', 'FR', '+33.612555036', '', 4, '@-318', 'Active', 'french'),
-- a name of blanks, a company only
(37, '   ', '', 'Sólo Empresa S.A.', 'empresa@correo.example', 'Ushuaia', 'Tierra del Fuego', '9410', 'AR', '+54.92901555137', '', 1, '@-317', 'Active', ''),
(38, 'Beatriz', 'Lusitano', '', 'beatriz@correo.example', 'Lisboa', '', '1000-001', 'PT', '+351.912555038', '', 4, '@-316', 'Active', 'portuguese-pt'),
(39, 'Jorge', 'Interno', '', 'jorge@correo.example', 'Buenos Aires', 'Buenos Aires', '1000', 'AR', '011 4555-0139 int. 23', '', 1, '@-3000', 'Active', 'spanish'),
-- line breaks, tabs, runs of blanks
(40, 'Eva	María', 'Doble  Espacio     Ancho', 'Línea uno\r\nLínea dos', 'eva@correo.example', 'Viedma', 'Río Negro', '8500', 'AR', '+54.92920555140', '', 1, '@-315', 'Active', 'spanish');

UPDATE tblclients SET uuid = CONCAT('00000000-0000-4000-8000-', LPAD(id, 12, '0')), defaultgateway = IF(currency = 1, 'mercadopago', 'paypal'),
    address1 = CONCAT('Calle Ejemplo ', 100 + id), password = 'canary-do-not-leak', authdata = 'canary-do-not-leak', cardnum = 'canary-do-not-leak',
    bankacct = 'canary-do-not-leak', securityqans = 'canary-do-not-leak', pwresetkey = 'canary-do-not-leak', notes = 'canary-do-not-leak',
    ip = CONCAT('198.51.100.', id), created_at = CONCAT(datecreated, ' 09:30:00'), updated_at = CONCAT(datecreated, ' 09:30:00'), email_verified = 1;
-- rows that the platform's newer code never touched, and people who never logged in
UPDATE tblclients SET created_at = 0, updated_at = 0 WHERE id IN (5, 7, 17, 21, 39);
UPDATE tblclients SET lastlogin = '@-3 21:14:09' WHERE id NOT IN (8, 9, 37);
UPDATE tblclients SET lastlogin = '0000-00-00 00:00:00' WHERE id = 7;
UPDATE tblclients SET email_preferences = '{"general":"1","invoice":"1","support":"1","product":"1","domain":"1","affiliate":"1"}' WHERE id IN (1, 4, 13);
UPDATE tblclients SET email_preferences = '{"general":"0","invoice":"0","support":"1","product":"0","domain":"1","affiliate":"0"}', emailoptout = 1 WHERE id = 29;
UPDATE tblclients SET marketing_emails_opt_in = 1 WHERE id IN (1, 2, 14);
UPDATE tblclients SET overideduenotices = 1, latefeeoveride = 1 WHERE id = 31;
UPDATE tblclients SET billingcid = 1 WHERE id = 4;
UPDATE tblclients SET groupid = 2 WHERE id = 12;
UPDATE tblclients SET credit = 15000.00 WHERE id = 28;

INSERT INTO tblmarketing_consent (userid, opt_in, admin, ip_address, created_at, updated_at) VALUES
(1, 1, 0, '198.51.100.1', '@-900 09:30:00', '@-900 09:30:00'),
(2, 1, 0, '198.51.100.2', '@-700 09:30:00', '@-700 09:30:00'),
(29, 1, 0, '198.51.100.29', '@-370 09:30:00', '@-370 09:30:00'),
(29, 0, 1, '', '@-20 16:00:00', '@-20 16:00:00');

INSERT INTO tblcustomfieldsvalues (fieldid, relid, value, created_at, updated_at) VALUES
(1, 30, '+54 9 291 555-0230', '@-360 09:30:00', '@-30 10:00:00'), (1, 1, '', '@-900 09:30:00', '@-900 09:30:00'),
(2, 1, 'on', '@-900 09:30:00', '@-900 09:30:00'), (2, 2, 'on', '@-700 09:30:00', '@-700 09:30:00'), (2, 30, 'on', '@-360 09:30:00', '@-30 10:00:00'),
(2, 29, '', '@-370 09:30:00', '@-20 16:00:00'), (3, 1, 'Recomendaci&oacute;n', '@-900 09:30:00', '@-900 09:30:00'),
(4, 4, 'Romina', '@-900 09:30:00', '@-900 09:30:00'),
(5, 5, 'design-vps', '@-600 09:30:00', '@-600 09:30:00'), (6, 5, 'canary-do-not-leak', '@-600 09:30:00', '@-600 09:30:00');

-- Contacts. 3 gets everything, 4 nothing; 2 has the same phone as its client; 16 belongs to a closed client.
INSERT INTO tblcontacts (id, userid, firstname, lastname, companyname, email, country, phonenumber, subaccount, generalemails, productemails, domainemails, invoiceemails, supportemails, affiliateemails) VALUES
(1, 4, 'Analía', 'Ñáñez', 'Administración', 'pagos@nanezhermanos.example', 'AR', '+54.93515550201', 0, 0, 0, 0, 1, 0, 0),
(2, 4, 'Martín', 'Ñáñez (h)', '', 'martin.h@nanezhermanos.example', 'AR', '+54.93515550104', 0, 1, 1, 1, 1, 1, 1),
(3, 1, 'Esteban', 'Contador', '', 'esteban@contadores.example', 'AR', '+54.93415550203', 0, 1, 1, 1, 1, 1, 1),
(4, 1, 'Nadie', 'Avisar', '', 'nadie@correo.example', 'AR', '+54.93415550204', 0, 0, 0, 0, 0, 0, 0),
(5, 2, 'Luíza', 'Araújo', '', 'luiza@pereiraefilhos.example', 'BR', '+55.21955550205', 0, 0, 1, 0, 1, 0, 0),
(16, 6, 'Silvia', 'García', '', 'silvia@garciayasociados.example', 'AR', '+54.93415550206', 0, 1, 1, 1, 1, 1, 1),
(7, 16, 'Maialen', 'Etxeberria', '', 'maialen@etxe.example', 'ES', '', 0, 0, 0, 1, 0, 0, 0),
(8, 3, 'Liam', 'O&#039;Brien', '', 'liam@obriendesign.example', 'US', '+1.3055550208', 1, 0, 0, 0, 0, 1, 0),
(9, 8, 'Hija', 'de Graciela', '', 'hija@correo.example', 'AR', '+54.92615550209', 0, 1, 1, 1, 1, 0, 0),
(10, 13, 'Nelson', 'Técnico', '', 'nelson@correo.example', 'UY', '+598.095555010', 0, 0, 1, 0, 0, 1, 0);
UPDATE tblcontacts SET password = 'canary-do-not-leak', pwresetkey = 'canary-do-not-leak', created_at = IF(id = 8, 0, '@-200 12:00:00'), updated_at = IF(id = 8, 0, '@-200 12:00:00');

-- Logins. User 41-n owns client n, so that a user id taken for a client id finds somebody else. User 9 owns clients 32
-- and 33, user 8 owns nobody, user 41 is a book-keeper who may look into clients 1 and 4.
INSERT INTO tblusers (id, first_name, last_name, email, password, language, second_factor_config, remember_token, last_ip, last_login, email_verified_at, created_at, updated_at)
    SELECT 41 - id, firstname, lastname, IF(id = 35, 'raul.duarte@correo.example', email), 'canary-do-not-leak', language, 'canary-do-not-leak', 'canary-do-not-leak', ip,
        NULLIF(lastlogin, 0), '@-60 10:00:00', NULLIF(created_at, 0), NULLIF(updated_at, 0) FROM tblclients ORDER BY id;
INSERT INTO tblusers (id, first_name, last_name, email, password, language, created_at, updated_at) VALUES
(41, 'Esteban', 'Contador', 'esteban@contadores.example', 'canary-do-not-leak', 'spanish', '@-200 12:00:00', '@-200 12:00:00');
INSERT INTO tblusers_clients (auth_user_id, client_id, owner, permissions, last_login, created_at, updated_at)
    SELECT IF(id = 33, 9, 41 - id), id, 1, NULL, NULLIF(lastlogin, 0), NULLIF(created_at, 0), NULLIF(updated_at, 0) FROM tblclients ORDER BY id;
INSERT INTO tblusers_clients (auth_user_id, client_id, owner, permissions, created_at, updated_at) VALUES
(41, 1, 0, 'invoices,quotes', '@-200 12:00:00', '@-200 12:00:00'),
(41, 4, 0, 'profile,invoices,orders', '@-200 12:00:00', '@-200 12:00:00');
