-- Services, orders, upgrades, cancellations, domains and tickets of the cast. No id here is the id of its owner, and
-- the client who bears that id exists and is somebody else.

INSERT INTO tblhosting (id, userid, orderid, packageid, server, regdate, domain, paymentmethod, firstpaymentamount, amount, billingcycle, nextduedate, nextinvoicedate, domainstatus, suspendreason) VALUES
(1, 4, 104, 1, 1, '@-1490', 'nanezhermanos-demo.com.ar', 'mercadopago', 120000.00, 120000.00, 'Annually', '@20', '@6', 'Active', ''),
(2, 1, 105, 2, 1, '@-880', 'lucia-fernandez-demo.com.ar', 'mercadopago', 18000.00, 18000.00, 'Monthly', '@10', '@24', 'Active', ''),
(3, 1, 106, 9, 1, '@-400', 'correo.lucia-fernandez-demo.com.ar', 'mercadopago', 4800.00, 4800.00, 'Monthly', '@-12', '@17', 'Suspended', 'Falta de pago'),
(4, 2, 107, 1, 2, '@-690', 'pereiraefilhos-demo.com', 'paypal', 550.00, 550.00, 'Annually', '@40', '@26', 'Active', ''),
(5, 3, 108, 6, 3, '@-600', 'vps1.obriendesign-demo.com', 'paypal', 12.00, 12.00, 'Monthly', '@15', '@1', 'Active', ''),
(6, 1, 109, 1, 1, '@-890', 'tienda-vieja-demo.com.ar', 'mercadopago', 12000.00, 12000.00, 'Monthly', '@-70', '@-70', 'Terminated', ''),
(7, 11, 110, 7, 3, '@-75', '{{7*7}}.demo.com.ar', 'mercadopago', 26400.00, 26400.00, 'Monthly', '@16', '@2', 'Active', ''),
(8, 26, 111, 1, 1, '@-375', 'gustavo-demo.com.ar', 'mercadopago', 12000.00, 12000.00, 'Monthly', '@-35', '@-5', 'Suspended', ''),
(9, 28, 112, 2, 1, '@-1090', 'benitez-demo.com.ar', 'mercadopago', 180000.00, 180000.00, 'Annually', '@200', '@186', 'Active', ''),
-- B1: 100 a year, half of the year over
(10, 25, 113, 1, 2, '@-182', 'riosdiseno-demo.com', 'paypal', 100.00, 100.00, 'Annually', '@183', '@169', 'Active', ''),
(11, 7, 114, 13, 0, '@-50', '', 'mercadopago', 72000.00, 0.00, 'One Time', '0000-00-00', '0000-00-00', 'Completed', ''),
(12, 9, 115, 14, 1, '@-300', 'oscar-demo.com.ar', 'mercadopago', 0.00, 0.00, 'Free Account', NULL, '0000-00-00', 'Active', ''),
-- B3: a retired plan without a way up
(13, 10, 116, 15, 1, '@-85', 'prueba-demo.com.ar', 'mercadopago', 84000.00, 84000.00, 'Annually', '@280', '@266', 'Active', ''),
(14, 13, 117, 4, 2, '@-1', 'oliverayacht-demo.uy', 'paypal', 30.00, 30.00, 'Monthly', '@-1', '@-1', 'Pending', ''),
(15, 14, 118, 1, 2, '@-470', 'constanza-demo.cl', 'paypal', 10.00, 10.00, 'Monthly', '@-100', '@-100', 'Cancelled', ''),
(16, 15, 119, 6, 3, '@-465', 'joseluis-demo.mx', 'paypal', 12.00, 12.00, 'Monthly', '@-430', '@-430', 'Fraud', ''),
(17, 5, 120, 2, 1, '@-3000', 'florencia-demo.com.ar', 'mercadopago', 18000.00, 18000.00, 'Monthly', '@9', '@23', 'Active', ''),
(18, 16, 121, 3, 2, '@-455', 'etxe-demo.es', 'paypal', 239.20, 239.20, 'Annually', '@90', '@76', 'Active', ''),
(19, 6, 122, 2, 1, '@-1990', 'garciayasociados-demo.com.ar', 'mercadopago', 18000.00, 18000.00, 'Monthly', '@-400', '@-400', 'Terminated', ''),
(20, 8, 123, 1, 1, '@-290', 'graciela-demo.com.ar', 'mercadopago', 12000.00, 12000.00, 'Monthly', '@-8', '@22', 'Suspended', 'Uso de recursos &gt; 90%'),
-- D5: not active, cannot change its owner
(21, 28, 124, 9, 1, '@-2', 'correo.benitez-demo.com.ar', 'mercadopago', 4800.00, 4800.00, 'Monthly', '@-2', '@-2', 'Pending', ''),
(22, 12, 125, 3, 1, '@-1190', 'laesperanza-demo.com.ar', 'banktransfer', 312000.00, 312000.00, 'Annually', '@-6', '@350', 'Active', ''),
(23, 32, 126, 10, 1, '@-335', 'viverososa-demo.com.ar', 'mercadopago', 64800.00, 64800.00, 'Semi-Annually', '@30', '@16', 'Active', ''),
(24, 33, 127, 1, 1, '@-325', 'cabanassosa-demo.com.ar', 'mercadopago', 36000.00, 36000.00, 'Quarterly', '@35', '@21', 'Active', '');

UPDATE tblhosting SET password = 'canary-do-not-leak', notes = 'canary-do-not-leak', username = CONCAT('u', 1000 + id), qty = IF(id = 23, 4, 1),
    created_at = IF(regdate < '@-2000', 0, CONCAT(regdate, ' 10:00:00')), updated_at = IF(regdate < '@-2000', 0, '@-5 03:10:00'), lastupdate = IF(server = 0, 0, '@-1 04:00:00');
UPDATE tblhosting SET termination_date = '@-40' WHERE id = 6;
UPDATE tblhosting SET termination_date = '@-370' WHERE id = 19;
UPDATE tblhosting SET termination_date = '@-95' WHERE id = 15;
UPDATE tblhosting SET completed_date = '@-45' WHERE id = 11;
UPDATE tblhosting SET overideautosuspend = 1, overidesuspenduntil = '@15' WHERE id = 22;

INSERT INTO tblorders (id, ordernum, userid, contactid, requestor_id, date, amount, paymentmethod, invoiceid, status, ipaddress, transfersecret)
    SELECT orderid, 5550000000 + id * 7919, userid, 0, 41 - userid, CONCAT(regdate, ' 10:00:00'), firstpaymentamount, paymentmethod, 0,
        CASE domainstatus WHEN 'Pending' THEN 'Pending' WHEN 'Fraud' THEN 'Fraud' WHEN 'Cancelled' THEN 'Cancelled' ELSE 'Active' END,
        CONCAT('198.51.100.', userid), 'canary-do-not-leak' FROM tblhosting ORDER BY id;

INSERT INTO tblhostingaddons (id, orderid, hostingid, addonid, userid, server, name, firstpaymentamount, recurring, billingcycle, status, regdate, nextduedate, nextinvoicedate, paymentmethod) VALUES
(1, 104, 1, 0, 4, 0, 'Copias diarias', 6000.00, 6000.00, 'Monthly', 'Active', '@-200', '@12', '@-2', 'mercadopago'),
(2, 108, 5, 0, 3, 0, 'IP adicional', 3.00, 3.00, 'Monthly', 'Suspended', '@-100', '@-10', '@20', 'paypal'),
(3, 105, 2, 0, 1, 0, 'Puesta a punto', 9000.00, 0.00, 'One Time', 'Completed', '0000-00-00', NULL, '0000-00-00', 'mercadopago');

-- One plan upgrade that waits for its payment, one done, one change of options.
INSERT INTO tblupgrades (id, userid, orderid, type, date, relid, originalvalue, newvalue, new_cycle, amount, credit_amount, days_remaining, total_days_in_cycle, new_recurring_amount, recurringchange, status, paid) VALUES
(1, 4, 128, 'package', '@0', 1, '1', '2,annually', '', 60000.00, 0.00, 0, 0, 0.00, 60000.00, 'Pending', 'N'),
(2, 1, 129, 'package', '@-200', 2, '1', '2,monthly', '', 6000.00, 0.00, 0, 0, 0.00, 6000.00, 'Completed', 'Y'),
(3, 3, 130, 'configoptions', '@-40', 5, '3=>5', '6', '', 2.00, 0.00, 12, 30, 14.00, 2.00, 'Completed', 'Y'),
(4, 16, 131, 'service', '@-100', 18, '2', '3', 'annually', 101.20, 50.00, 190, 365, 239.20, 101.20, 'Completed', 'Y');

INSERT INTO tblorders (id, ordernum, userid, requestor_id, date, amount, paymentmethod, invoiceid, status, ipaddress)
    SELECT orderid, 5551000000 + id * 7919, userid, 41 - userid, CONCAT(date, ' 10:00:00'), amount, 'mercadopago', IF(id = 1, 34, 0),
        IF(paid = 'Y', 'Active', 'Pending'), CONCAT('198.51.100.', userid) FROM tblupgrades ORDER BY id;

-- E7, E8: at once, and at the end of the period. The owner is only known through the service.
INSERT INTO tblcancelrequests (id, date, relid, reason, type, created_at, updated_at) VALUES
(1, '@-1 08:12:44', 17, 'Cierro el negocio, ¡gracias por todo! &quot;Hasta siempre&quot;', 'Immediate', '@-1 08:12:44', '@-1 08:12:44'),
(2, '@-3 19:02:10', 18, '', 'End of Billing Period', '@-3 19:02:10', '@-3 19:02:10'),
(3, '@-98 11:00:00', 15, 'Ya no lo uso', 'Immediate', '0000-00-00 00:00:00', '0000-00-00 00:00:00');

INSERT INTO tbldomains (id, userid, orderid, type, registrationdate, domain, firstpaymentamount, recurringamount, registrar, registrationperiod, expirydate, status, nextduedate, nextinvoicedate, paymentmethod, is_premium, donotrenew, synced) VALUES
(1, 4, 104, 'Register', '@-1490', 'nanezhermanos-demo.com.ar', 9600.00, 9600.00, 'nicar', 1, '@21', 'Active', '@14', '@0', 'mercadopago', NULL, 0, 1),
(2, 1, 105, 'Register', '@-880', 'lucia-fernandez-demo.com.ar', 9600.00, 9600.00, 'nicar', 1, '@210', 'Active', '@203', '@189', 'mercadopago', NULL, 0, 1),
-- E3: an international domain
(3, 1, 106, 'Transfer', '@-400', 'lucia-fernandez-demo.com', 15.00, 18000.00, 'enom', 1, '@330', 'Active', '@323', '@309', 'mercadopago', 0, 0, 1),
(4, 2, 107, 'Register', '@-690', 'pereiraefilhos-demo.com', 82.50, 82.50, 'enom', 2, '@40', 'Active', '@33', '@19', 'paypal', 0, 1, 1),
(5, 26, 111, 'Register', '@-375', 'gustavo-demo.ar', 12000.00, 12000.00, 'nicar', 1, '@-10', 'Grace', '@-17', '@-31', 'mercadopago', NULL, 0, 1),
(6, 7, 114, 'Register', '@-900', 'aguero-demo.com.ar', 9600.00, 9600.00, 'nicar', 1, '@-160', 'Expired', '@-167', '@-181', 'mercadopago', NULL, 0, 1),
(7, 13, 117, 'Register', '@-490', 'oliverayacht-demo.uy', 35.00, 35.00, 'manual', 1, '@240', 'Active', '@233', '@219', 'paypal', NULL, 0, 0),
(8, 14, 118, 'Register', '@-1', 'constanza-demo.com', 15.00, 15.00, 'enom', 1, NULL, 'Pending Registration', '@364', '@350', 'paypal', NULL, 0, 0),
(9, 16, 121, 'Transfer', '@-2', 'etxe-demo.com', 13.80, 13.80, 'enom', 1, NULL, 'Pending Transfer', '0000-00-00', '0000-00-00', 'paypal', 1, 0, 0),
(10, 28, 112, 'Register', '0000-00-00', 'benitez-demo.com.ar', 9600.00, 9600.00, 'nicar', 1, '0000-00-00', 'Pending', '0000-00-00', '0000-00-00', 'mercadopago', NULL, 0, 0),
(11, 6, 122, 'Register', '@-1990', 'garciayasociados-demo.com.ar', 9600.00, 9600.00, 'nicar', 1, '@-420', 'Cancelled', '@-427', '@-441', 'mercadopago', NULL, 1, 1),
(12, 9, 115, 'Register', '@-300', 'núñez-demo.com.ar', 9600.00, 9600.00, 'nicar', 1, '@65', 'Active', '@58', '@44', 'mercadopago', NULL, 0, 1),
(13, 15, 119, 'Register', '@-465', 'joseluis-demo.com', 15.00, 15.00, 'enom', 1, '@-100', 'Fraud', '@-107', '@-121', 'paypal', NULL, 0, 0),
(14, 5, 120, 'Register', '@-3000', 'florencia-demo.com.ar', 9600.00, 9600.00, 'nicar', 1, '@-50', 'Transferred Away', '@-57', '@-71', 'mercadopago', NULL, 0, 1),
(15, 12, 125, 'Register', '@-1190', 'laesperanza-demo.com', 15.00, 18000.00, 'enom', 1, '@-35', 'Redemption', '@-42', '@-56', 'banktransfer', 0, 0, 1);
UPDATE tbldomains SET created_at = IF(id % 3 = 0, 0, '@-90 10:00:00'), updated_at = IF(id % 3 = 0, 0, '@-2 03:20:00'), additionalnotes = 'canary-do-not-leak';

INSERT INTO tbldomainreminders (domain_id, date, recipients, type, days_before_expiry) VALUES
(1, '@-9', 'martin@nanezhermanos.example', 1, 30), (5, '@-17', 'gustavo@correo.example', 1, 7), (5, '@-7', 'gustavo@correo.example', 2, -3);

-- D3: the request to move service 9, from the owner's registered address; and one from a stranger's.
INSERT INTO tbltickets (id, tid, did, userid, contactid, requestor_id, name, email, cc, c, date, title, message, status, urgency, lastreply, service) VALUES
(1, '555001', 1, 28, 0, 13, 'Carla Benítez', 'carla@correo.example', '', 'canary-do-not-leak', '@-1 15:40:00', 'Cambio de titular', 'Autorizo pasar el hosting benitez-demo.com.ar a carla.nueva@correo.example', 'Open', 'Medium', '@-1 15:40:00', 'S9'),
(2, '555002', 1, 0, 0, 0, 'Carla B.', 'carla.benitez@otro.example', '', 'canary-do-not-leak', '@-1 16:05:00', 'Cambio de titular', 'Pasen el hosting benitez-demo.com.ar a mi nombre', 'Customer-Reply', 'High', '@-1 18:00:00', ''),
(3, '555003', 2, 1, 3, 0, 'Esteban Contador', 'esteban@contadores.example', '', 'canary-do-not-leak', '@-30 09:00:00', 'Factura', 'No me llega la factura', 'Closed', 'Low', '@-29 10:00:00', '');

INSERT INTO tblactivitylog (date, description, user, userid, user_id, admin_id, ipaddr) VALUES
('@-12 03:05:11', 'Module Suspend Successful - Service ID: 3 - Reason: Falta de pago', 'System', 1, 0, 0, ''),
('@-1 10:22:00', 'Modified Client Profile - User ID: 25', 'Valentina Ríos', 25, 16, 0, '198.51.100.25'),
('@-2 11:00:00', 'Deleted Domain viejo-demo.com.ar - User ID: 4', 'romina', 4, 0, 2, '192.0.2.5');
