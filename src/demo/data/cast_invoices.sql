-- Invoices, payments and quotes of the cast. Tax and total are worked out at the end: total = subtotal - credit + tax.

INSERT INTO tblinvoices (id, userid, invoicenum, date, duedate, datepaid, subtotal, credit, taxrate, status, paymentmethod, notes) VALUES
-- two that are overdue (D4)
(1, 26, '', '@-49', '@-35', '0000-00-00 00:00:00', 12000.00, 0, 21, 'Unpaid', 'mercadopago', ''),
(2, 26, '', '@-19', '@-5', '0000-00-00 00:00:00', 12000.00, 0, 21, 'Unpaid', 'mercadopago', ''),
(3, 1, '', '@-4', '@10', '0000-00-00 00:00:00', 18000.00, 0, 21, 'Unpaid', 'mercadopago', ''),
(4, 1, 'FC-0001-00000104', '@-34', '@-20', '@-21 18:03:27', 18000.00, 0, 21, 'Paid', 'mercadopago', ''),
-- a part of it has been paid
(5, 4, '', '@-3', '@20', '0000-00-00 00:00:00', 120000.00, 0, 21, 'Unpaid', 'banktransfer', ''),
(6, 1, '', '@-60', '@-46', '0000-00-00 00:00:00', 12000.00, 0, 21, 'Cancelled', 'mercadopago', ''),
(7, 12, '', '@-20', '@-6', '0000-00-00 00:00:00', 312000.00, 0, 21, 'Unpaid', 'banktransfer', ''),
(8, 2, '', '@-2', '@12', '0000-00-00 00:00:00', 632.50, 0, 0, 'Unpaid', 'paypal', ''),
(9, 2, 'FC-0001-00000109', '@-367', '@-353', '@-355 09:11:00', 550.00, 0, 0, 'Paid', 'paypal', ''),
(10, 3, '', '@-1', '@13', '0000-00-00 00:00:00', 1234.56, 0, 0, 'Unpaid', 'stripe', ''),
(11, 3, 'FC-0001-00000111', '@-31', '@-17', '@-17 03:06:40', 15.00, 0, 0, 'Paid', 'stripe', ''),
(12, 4, 'FC-0001-00000112', '@-6', '@8', '0000-00-00 00:00:00', 9600.00, 0, 21, 'Unpaid', 'mercadopago', ''),
(13, 1, '', '@0', '@14', '0000-00-00 00:00:00', 4800.00, 0, 21, 'Draft', 'mercadopago', ''),
(14, 5, 'FC-0001-00000114', '@-90', '@-76', '@-80 12:00:00', 18000.00, 0, 21, 'Refunded', 'mercadopago', ''),
(15, 9, '', '@-200', '@-186', '0000-00-00 00:00:00', 45000.00, 0, 21, 'Collections', 'mercadopago', ''),
(16, 7, '', '@-5', '@9', '0000-00-00 00:00:00', 72000.00, 0, 21, 'Payment Pending', 'banktransfer', ''),
-- paid by the client's balance: nothing left to pay and no payment row
(17, 28, 'FC-0001-00000117', '@-15', '@-1', '@-15 00:04:05', 4800.00, 5808.00, 21, 'Paid', 'mercadopago', ''),
-- pays two others in one go
(18, 26, '', '@-1', '@-1', '0000-00-00 00:00:00', 29040.00, 0, 0, 'Unpaid', 'mercadopago', ''),
(19, 6, '', '@-420', '@-406', '0000-00-00 00:00:00', 18000.00, 0, 21, 'Unpaid', 'mercadopago', ''),
(20, 8, '', '@-22', '@-8', '0000-00-00 00:00:00', 12000.00, 0, 21, 'Unpaid', 'mercadopago', ''),
(21, 28, 'FC-0001-00000121', '@-165', '@-151', '@-152 20:00:00', 180000.00, 0, 21, 'Paid', 'mercadopago', ''),
(22, 27, 'FC-0001-00000122', '@-50', '@-36', '@-36 13:30:00', 4800.00, 0, 0, 'Paid', 'mercadopago', ''),
(23, 10, '', '@-4', '@10', '0000-00-00 00:00:00', 84000.00, 0, 21, 'Unpaid', 'mercadopago', ''),
(24, 11, '', '@-3', '@11', '0000-00-00 00:00:00', 26400.00, 0, 21, 'Unpaid', 'mercadopago', ''),
-- the household's second account
(25, 23, '', '@-8', '@6', '0000-00-00 00:00:00', 6000.00, 0, 21, 'Unpaid', 'mercadopago', ''),
-- B1: what service 10 cost
(26, 25, 'FC-0001-00000126', '@-182', '@-182', '@-182 10:04:00', 100.00, 0, 0, 'Paid', 'paypal', ''),
(27, 16, '', '@-1', '@13', '0000-00-00 00:00:00', 239.20, 0, 0, 'Unpaid', 'paypal', ''),
(28, 14, 'FC-0001-00000128', '@-130', '@-116', '@-116 10:00:00', 10.00, 0, 0, 'Paid', 'paypal', ''),
-- two of one client in the same second
(29, 13, '', '@-1', '@13', '0000-00-00 00:00:00', 30.00, 0, 0, 'Unpaid', 'paypal', ''),
(30, 13, '', '@-1', '@13', '0000-00-00 00:00:00', 35.00, 0, 0, 'Unpaid', 'paypal', ''),
-- a part of it by credit; dates the platform left out
(31, 30, 'FC-0001-00000131', '@-33', '@-19', '@-20 11:45:00', 10000.00, 4000.00, 21, 'Paid', 'mercadopago', ''),
(32, 31, '', '@-30', NULL, '0000-00-00 00:00:00', 9999.99, 0, 21, 'Unpaid', 'mercadopago', ''),
(33, 21, '', '0000-00-00', '0000-00-00', '0000-00-00 00:00:00', 1.00, 0, 21, 'Cancelled', 'mercadopago', ''),
-- for the upgrade that waits for its payment
(34, 4, '', '@0', '@0', '0000-00-00 00:00:00', 60000.00, 0, 21, 'Unpaid', 'mercadopago', '');
UPDATE tblinvoices SET tax = ROUND(subtotal * taxrate / 100, 2), total = subtotal - credit + ROUND(subtotal * taxrate / 100, 2);
UPDATE tblinvoices SET created_at = IF(date < '@-400' OR id = 33, 0, CONCAT(date, ' 00:04:05')), updated_at = IF(datepaid > 0, datepaid, IF(date < '@-400' OR id = 33, 0, CONCAT(date, ' 00:04:05'))), notes = IF(id = 4, 'canary-do-not-leak', '');
UPDATE tblinvoices SET date_cancelled = '@-16 03:08:00', updated_at = '@-16 03:08:00' WHERE id = 6;
UPDATE tblinvoices SET date_refunded = '@-70 15:00:00', updated_at = '@-70 15:00:00' WHERE id = 14;
UPDATE tblinvoices SET last_capture_attempt = '@-17 03:06:38' WHERE id = 11;

INSERT INTO tblinvoiceitems (invoiceid, userid, type, relid, description, amount, taxed, duedate, paymentmethod) VALUES
(1, 26, 'Hosting', 8, 'Hosting Inicial - gustavo-demo.com.ar', 12000.00, 1, '@-35', 'mercadopago'),
(2, 26, 'Hosting', 8, 'Hosting Inicial - gustavo-demo.com.ar', 12000.00, 1, '@-5', 'mercadopago'),
(3, 1, 'Hosting', 2, 'Hosting Profesional - lucia-fernandez-demo.com.ar', 20000.00, 1, '@10', 'mercadopago'),
(3, 1, 'PromoHosting', 2, 'C&oacute;digo promocional: BIENVENIDA - 10%', -2000.00, 1, '@10', 'mercadopago'),
(4, 1, 'Hosting', 2, 'Hosting Profesional - lucia-fernandez-demo.com.ar', 18000.00, 1, '@-20', 'mercadopago'),
(5, 4, 'Hosting', 1, 'Hosting Inicial - nanezhermanos-demo.com.ar', 110400.00, 1, '@20', 'banktransfer'),
(5, 4, 'Domain', 1, 'Renovación de dominio - nanezhermanos-demo.com.ar - 1 año/s', 9600.00, 1, '@20', 'banktransfer'),
(6, 1, 'Hosting', 6, 'Hosting Inicial - tienda-vieja-demo.com.ar', 12000.00, 1, '@-46', 'mercadopago'),
(7, 12, 'Hosting', 22, 'Hosting Empresa - laesperanza-demo.com.ar', 312000.00, 1, '@-6', 'banktransfer'),
(8, 2, 'Hosting', 4, 'Hosting Inicial - pereiraefilhos-demo.com', 550.00, 0, '@12', 'paypal'),
(8, 2, 'Domain', 4, 'Renovação de domínio - pereiraefilhos-demo.com', 82.50, 0, '@12', 'paypal'),
(9, 2, 'Hosting', 4, 'Hosting Inicial - pereiraefilhos-demo.com', 550.00, 0, '@-353', 'paypal'),
(10, 3, 'Hosting', 5, 'VPS 2 GB - vps1.obriendesign-demo.com', 12.00, 0, '@13', 'stripe'),
(10, 3, 'Item', 1, 'Consulting &amp; set-up, 20 h', 1222.56, 0, NULL, 'stripe'),
(11, 3, 'Hosting', 5, 'VPS 2 GB - vps1.obriendesign-demo.com', 12.00, 0, '@-17', 'stripe'),
(11, 3, 'Addon', 2, 'IP adicional', 3.00, 0, '@-17', 'stripe'),
(12, 4, 'Domain', 1, 'Renovación de dominio - nanezhermanos-demo.com.ar - 1 año/s', 9600.00, 1, '@8', 'mercadopago'),
(13, 1, '', 0, 'Trabajo a convenir', 4800.00, 1, NULL, 'mercadopago'),
(14, 5, 'Hosting', 17, 'Hosting Profesional - florencia-demo.com.ar', 18000.00, 1, '@-76', 'mercadopago'),
(15, 9, 'Item', 2, 'Recuperación de datos', 45000.00, 1, '@-186', 'mercadopago'),
(16, 7, 'Hosting', 11, 'Migración de sitio', 72000.00, 1, '@9', 'banktransfer'),
(17, 28, 'Hosting', 21, 'Correo Básico', 4800.00, 1, '@-1', 'mercadopago'),
(18, 26, 'Invoice', 1, 'Factura #1', 14520.00, 0, '@-1', 'mercadopago'),
(18, 26, 'Invoice', 2, 'Factura #2', 14520.00, 0, '@-1', 'mercadopago'),
(19, 6, 'Hosting', 19, 'Hosting Profesional - garciayasociados-demo.com.ar', 18000.00, 1, '@-406', 'mercadopago'),
(20, 8, 'Hosting', 20, 'Hosting Inicial - graciela-demo.com.ar', 12000.00, 1, '@-8', 'mercadopago'),
(21, 28, 'Hosting', 9, 'Hosting Profesional - benitez-demo.com.ar', 180000.00, 1, '@-151', 'mercadopago'),
(22, 27, 'AddFunds', 0, 'Carga de saldo', 4800.00, 0, '@-36', 'mercadopago'),
(23, 10, 'Hosting', 13, 'Hosting Clásico (2015) - &lt;b&gt;prueba&lt;/b&gt;', 84000.00, 1, '@10', 'mercadopago'),
(24, 11, 'Hosting', 7, 'VPS 4 GB - {{7*7}}.demo.com.ar', 26400.00, 1, '@11', 'mercadopago'),
(25, 23, 'LateFee', 0, 'Recargo por mora', 6000.00, 1, '@6', 'mercadopago'),
(26, 25, 'Hosting', 10, 'Hosting Inicial - riosdiseno-demo.com', 100.00, 0, '@-182', 'paypal'),
(27, 16, 'Hosting', 18, 'Hosting Empresa - etxe-demo.es', 239.20, 0, '@13', 'paypal'),
(28, 14, 'Hosting', 15, 'Hosting Inicial - constanza-demo.cl', 10.00, 0, '@-116', 'paypal'),
(29, 13, 'Hosting', 14, 'Revendedor Bronce - oliverayacht-demo.uy', 30.00, 0, '@13', 'paypal'),
(30, 13, 'Domain', 7, 'Renovación de dominio - oliverayacht-demo.uy', 35.00, 0, '@13', 'paypal'),
(31, 30, '', 0, 'Diseño de logotipo', 10000.00, 1, NULL, 'mercadopago'),
(32, 31, '', 0, 'Soporte fuera de horario', 9999.99, 1, NULL, 'mercadopago'),
(33, 21, '', 0, 'Ajuste', 1.00, 1, NULL, 'mercadopago'),
(34, 4, 'Upgrade', 1, 'Cambio de plan: Hosting Inicial =&gt; Hosting Profesional - nanezhermanos-demo.com.ar', 60000.00, 1, '@0', 'mercadopago');

INSERT INTO tblaccounts (id, userid, currency, gateway, date, description, amountin, fees, amountout, rate, transid, invoiceid, refundid) VALUES
(21, 1, 0, 'mercadopago', '@-21 18:03:27', 'Invoice Payment', 21780.00, 1320.00, 0, 1, 'MP-5550000001', 4, 0),
(2, 4, 0, 'banktransfer', '@-1 10:30:00', 'Invoice Payment', 60000.00, 0, 0, 1, 'TR-5550002', 5, 0),
(3, 2, 0, 'paypal', '@-355 09:11:00', 'Invoice Payment', 550.00, 27.94, 0, 1, 'PP5550003', 9, 0),
(4, 3, 0, 'stripe', '@-17 03:06:40', 'Invoice Payment', 15.00, 0.74, 0, 1, 'ch_5550004', 11, 0),
(5, 5, 0, 'mercadopago', '@-80 12:00:00', 'Invoice Payment', 21780.00, 1320.00, 0, 1, 'MP-5550000005', 14, 0),
(6, 5, 0, 'mercadopago', '@-70 15:00:00', 'Refund of Transaction ID MP-5550000005', 0, 0, 21780.00, 1, 'MP-5550000006', 14, 5),
(7, 28, 0, 'mercadopago', '@-152 20:00:00', 'Invoice Payment', 217800.00, 0, 0, 1, 'MP-5550000007', 21, 0),
(8, 27, 0, 'mercadopago', '@-36 13:30:00', 'Invoice Payment', 4800.00, 0, 0, 1, 'MP-5550000008', 22, 0),
(9, 25, 0, 'paypal', '@-182 10:04:00', 'Invoice Payment', 100.00, 5.70, 0, 1, 'PP5550009', 26, 0),
(10, 14, 0, 'paypal', '@-116 10:00:00', 'Invoice Payment', 10.00, 0.84, 0, 1, 'PP5550010', 28, 0),
(11, 30, 0, 'mercadopago', '@-20 11:45:00', 'Invoice Payment', 8100.00, 0, 0, 1, 'MP-5550000011', 31, 0),
-- not tied to an invoice, and of nobody: the currency is its own
(12, 28, 0, 'banktransfer', '@-18 09:00:00', 'Saldo a favor', 20808.00, 0, 0, 1, '', 0, 0),
(23, 0, 2, 'paypal', '@-90 09:00:00', 'Comisión', 0, 0, 19.99, 0.00083, '', 0, 0);

-- Quotes: for clients (their own columns empty) and for prospects (userid 0, everything in the quote).
INSERT INTO tblquotes (id, subject, stage, validuntil, userid, firstname, lastname, companyname, email, city, country, phonenumber, currency, subtotal, tax1, total, datecreated, lastmodified, datesent, dateaccepted) VALUES
(1, 'Servidor dedicado', 'Draft', '@30', 4, '', '', '', '', '', '', '', 1, 900000.00, 189000.00, 1089000.00, '@-1', '@-1', '0000-00-00', '0000-00-00'),
(2, 'Rediseño &amp; migración', 'Delivered', '@15', 1, '', '', '', '', '', '', '', 1, 250000.00, 52500.00, 302500.00, '@-2', '@0', '@0', '0000-00-00'),
(3, 'Tienda en línea', 'Delivered', '@15', 0, 'Agustín', 'Prospecto', 'Muebles Prospecto', 'agustin@prospecto.example', 'Rosario', 'AR', '0341 15-555-0303', 1, 400000.00, 84000.00, 484000.00, '@-3', '@-1', '@-1', '0000-00-00'),
(4, 'VPS administrado', 'On Hold', '@5', 3, '', '', '', '', '', '', '', 2, 480.00, 0, 480.00, '@-20', '@-10', '@-19', '0000-00-00'),
(5, 'Plan anual', 'Accepted', '@-10', 28, '', '', '', '', '', '', '', 1, 180000.00, 37800.00, 217800.00, '@-170', '@-166', '@-169', '@-166'),
(6, 'Correo corporativo', 'Lost', '@-60', 5, '', '', '', '', '', '', '', 1, 64800.00, 13608.00, 78408.00, '@-100', '@-50', '@-99', '0000-00-00'),
(7, 'Consultoría', 'Delivered', '@20', 14, '', '', '', '', '', '', '', 2, 150.00, 0, 150.00, '@-4', '@-4', '@-4', '0000-00-00'),
(8, 'Intranet', 'Dead', '@-300', 6, '', '', '', '', '', '', '', 1, 990000.00, 207900.00, 1197900.00, '@-420', '@-380', '0000-00-00', '0000-00-00'),
(9, 'Servidor virtual', 'Delivered', '@10', 2, '', '', '', '', '', '', '', 3, 1320.00, 0, 1320.00, '@-1', '@-1', '@-1', '0000-00-00'),
(10, 'Web design &quot;Pro&quot;', 'Delivered', '@10', 3, '', '', '', '', '', '', '', 2, 2500.00, 0, 2500.00, '@-1', '@-1', '@-1', '0000-00-00'),
(11, 'Landing page', 'Draft', '@30', 0, 'Luz', 'Sin Teléfono', '', 'luz@prospecto.example', 'Salta', 'AR', '', 1, 120000.00, 25200.00, 145200.00, '@0', '@0', '0000-00-00', '0000-00-00'),
-- delivered long ago and no longer valid
(12, 'Promoción de invierno', 'Delivered', '@-5', 30, '', '', '', '', '', '', '', 1, 60000.00, 12600.00, 72600.00, '@-40', '@-35', '@-35', '0000-00-00');
UPDATE tblquotes SET adminnotes = 'canary-do-not-leak';
INSERT INTO tblquoteitems (quoteid, description, quantity, unitprice, discount, taxable) VALUES
(1, 'Servidor dedicado, por mes', '1', 900000.00, 0, 1), (2, 'Rediseño', '1', 200000.00, 0, 1), (2, 'Migración', '2.5', 20000.00, 0, 1),
(3, 'Tienda', '1', 400000.00, 0, 1), (4, 'VPS, por mes', '12', 40.00, 0, 0), (5, 'Hosting Profesional', '1', 200000.00, 10.00, 1),
(6, 'Casilla', '12', 5400.00, 0, 1), (7, 'Hora', '3', 50.00, 0, 0), (8, 'Intranet', '1', 990000.00, 0, 1), (9, 'VPS 8 GB', '6', 220.00, 0, 0),
(10, 'Web design', '1', 2500.00, 0, 0), (11, 'Landing', '1', 120000.00, 0, 1), (12, 'Anuncio', '1', 60000.00, 0, 1);
